import type { Message } from './blocks.ts';

/** Where Slack's methods are. */
export const SLACK_API = 'https://slack.com/api';

/** What came of a call that did not succeed. `limited`: wait so long. `away`: not known whether it was done. `refused`: Slack said no, with its code. */
export type Trouble = { kind: 'limited'; retryAfter: number } | { kind: 'away' } | { kind: 'refused'; code: string };

/** Slack did not take a message; `trouble` says what to do next. */
export class SlackError extends Error {
  override name = 'SlackError';
  readonly trouble: Trouble;

  constructor(method: string, trouble: Trouble, because: string) {
    super(`Slack did not take ${method}: ${because}`);
    this.trouble = trouble;
  }
}

/** The methods a living message needs. All throw SlackError. */
export interface Slack {
  /** The `ts` of the new message: its name in the channel. */
  post(channel: string, message: Message, thread?: { ts: string; broadcast?: boolean }): Promise<string>;
  update(channel: string, ts: string, message: Message): Promise<void>;
  /** Whether Slack answers and knows the token; it changes nothing. */
  ping(): Promise<void>;
}

interface SlackOptions {
  /** The bot token, read for each call: a rotated one is taken up at once. */
  token(): Promise<string>;
  api?: string;
  timeout?: number;
}

/** Slack's own words for "not now". */
const PASSING = ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org', 'accesslimited'];
const LIMITED = ['ratelimited', 'rate_limited', 'message_limit_exceeded'];

/** Slack's Web API through fetch. `@slack/web-api` retries and waits by itself, and would hide from the outbox what it has to remember. */
export function slack({ token, api = SLACK_API, timeout = 10_000 }: SlackOptions): Slack {
  const call = async (method: string, body: Record<string, unknown>): Promise<Record<string, unknown>> => {
    let response: Response;
    let answer: Record<string, unknown>;
    try {
      response = await fetch(`${api}/${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeout),
        redirect: 'error',
      });
      answer = response.status === 200 ? ((await response.json()) as Record<string, unknown>) : {};
    } catch (error) {
      throw new SlackError(method, { kind: 'away' }, `no answer (${(error as Error).message})`);
    }
    const code = String(answer.error ?? '');
    if (response.status === 429 || LIMITED.includes(code)) {
      const seconds = Number(response.headers.get('retry-after') ?? 30);
      const retryAfter = 1_000 * (Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) : 30);
      throw new SlackError(method, { kind: 'limited', retryAfter }, `too many messages, again in ${retryAfter / 1_000} s`);
    }
    if (response.status !== 200 || PASSING.includes(code))
      throw new SlackError(method, { kind: 'away' }, `it answered ${response.status}${code && ` ${code}`}`);
    if (answer.ok !== true) throw new SlackError(method, { kind: 'refused', code }, code || 'an answer that is none');
    return answer;
  };
  const settings = { parse: 'none', link_names: false };
  return {
    async post(channel, message, thread) {
      const reply = thread && { thread_ts: thread.ts, ...(thread.broadcast && { reply_broadcast: true }) };
      const quiet = { unfurl_links: false, unfurl_media: false };
      const { ts } = await call('chat.postMessage', { channel, ...message, ...settings, ...quiet, ...reply });
      if (typeof ts !== 'string') throw new SlackError('chat.postMessage', { kind: 'refused', code: 'no_ts' }, 'it named no ts');
      return ts;
    },
    async update(channel, ts, message) {
      await call('chat.update', { channel, ts, ...message, ...settings });
    },
    async ping() {
      await call('auth.test', {});
    },
  };
}

/** What to do about a refusal that only a person can end. */
export const nextStep = (code: string): string | undefined =>
  ({
    invalid_auth: 'the bot token is wrong: give the "Bot User OAuth Token" of the app',
    not_authed: 'no bot token was given',
    token_revoked: 'the bot token was revoked: reinstall the app and give its new token',
    token_expired: 'the bot token expired: reinstall the app, with token rotation off',
    account_inactive: 'the app was removed from the workspace: install it again',
    missing_scope: 'the app lacks the scope chat:write: add it and reinstall',
    not_in_channel: 'the app is not in the channel: invite it there',
    channel_not_found: 'there is no such channel for the app: give the channel id (C…), and invite the app if it is private',
    is_archived: 'the channel is archived: give another one',
    restricted_action: 'the workspace does not allow the app to post there: ask its administrators',
  })[code];
