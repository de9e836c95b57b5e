import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { wrongBlocks, wrongMarkup } from './check-blocks.ts';

/** A message as Slack keeps it. `edits`: what it was before, oldest first. */
export interface SlackMessage {
  ts: string;
  channel: string;
  text: string;
  blocks: Record<string, unknown>[];
  threadTs?: string;
  broadcast?: boolean;
  edits: string[];
}

type Body = Record<string, unknown>;

/** How Slack is doing. `lost`: it takes a message, and its answer does not arrive. `silent`: it takes the connection and says nothing. */
export type Weather = 'fine' | 'away' | 'error' | 'lost' | 'silent';

/** A local Slack: `chat.postMessage` and `chat.update` with the limits that Slack documents, answers to clicks, and clicks signed as Slack signs them. */
export class SlackServer {
  readonly signingSecret = '8f742231b10e8888abcd99yyyzzz85a5';
  readonly token = 'xoxb-0000-test';
  readonly channel = 'C0MEND0001';
  readonly messages: SlackMessage[] = [];
  /** Answers that only one person sees. */
  readonly whispers: Body[] = [];
  /** What Slack would have refused, or what is no good manners. A test ends with none. */
  readonly violations: string[] = [];
  readonly calls: string[] = [];
  weather: Weather = 'fine';
  /** Answers all calls with this code. */
  refuse: string | undefined;
  limited = 0;
  /** Milliseconds between two new messages in the channel. */
  postEvery = 1_000;
  /** Requests that are left without an answer, and whether their sender gave up. */
  readonly silent: { gone: boolean }[] = [];
  readonly #now: () => number;
  readonly #server: Server;
  readonly #lastPost = new Map<string, number>();
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get api(): string {
    return `${this.origin}/api`;
  }

  /** Messages in the channel itself. */
  get topLevel(): SlackMessage[] {
    return this.messages.filter(({ threadTs }) => threadTs === undefined);
  }

  thread = (ts: string): SlackMessage[] => this.messages.filter(({ threadTs }) => threadTs === ts);

  /** Somebody deletes a message. */
  remove(ts: string): void {
    this.messages.splice(
      this.messages.findIndex((message) => message.ts === ts),
      1,
    );
  }

  buttons = ({ blocks }: { blocks: Record<string, unknown>[] }): { action_id: string; value: string }[] =>
    blocks.filter(({ type }) => type === 'actions').flatMap(({ elements }) => elements as { action_id: string; value: string }[]);

  /** The body of a click on a button, as Slack sends it. */
  click(message: { blocks: Record<string, unknown>[]; ts?: string }, ask: string, user = { id: 'U0ADA00001', username: 'ada' }): string {
    const action = this.buttons(message).find(({ action_id }) => action_id === `kubemend.${ask}`);
    if (!action) throw new Error(`The message has no button "${ask}"`);
    const payload = {
      ...{ type: 'block_actions', user, api_app_id: 'A0MEND', trigger_id: '1.2.3', container: { type: 'message', message_ts: message.ts } },
      ...{ message, response_url: `${this.origin}/respond/${this.#count}`, actions: [{ type: 'button', action_ts: '1', ...action }] },
    };
    return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  }

  /** The headers with which Slack would send this body now. */
  sign(body: string, at = this.#now(), secret = this.signingSecret): Record<string, string> {
    const timestamp = String(Math.floor(at / 1_000));
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
    return { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature };
  }

  /** Sends a request to the app; the answer has to come within Slack's 3 s. */
  async send(url: string, body: string, headers = this.sign(body)): Promise<number> {
    const { status } = await fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(3_000) });
    return status;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const { weather } = this;
    if (weather === 'away') return void request.socket.destroy();
    if (weather === 'silent') {
      const left = { gone: false };
      this.silent.push(left);
      response.on('close', () => {
        left.gone = true;
      });
      return;
    }
    if (weather === 'error') return void response.writeHead(503).end('upstream connect error');
    const answer = (status: number, value: Body, headers: Record<string, string> = {}) => {
      if (weather === 'lost') return void request.socket.destroy();
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(JSON.stringify(value));
    };
    const path = request.url ?? '';
    if (path.startsWith('/respond/')) {
      this.whispers.push(JSON.parse(body) as Body);
      this.#check((JSON.parse(body) as Body).blocks);
      return answer(200, { ok: true });
    }
    this.calls.push(path.replace('/api/', ''));
    if (request.headers.authorization !== `Bearer ${this.token}`) return answer(200, { ok: false, error: 'invalid_auth' });
    if (!/^application\/json; ?charset=utf-8$/.test(request.headers['content-type'] ?? '')) this.violations.push('content-type');
    if (this.refuse) return answer(200, { ok: false, error: this.refuse });
    const result = this.#call(path, JSON.parse(body) as Body);
    if (result === 'limited') {
      this.limited += 1;
      return answer(429, { ok: false, error: 'ratelimited' }, { 'retry-after': '1' });
    }
    return typeof result === 'string'
      ? answer(200, { ok: false, error: result })
      : answer(200, { ok: true, channel: this.channel, ...result });
  }

  #call(path: string, { channel, text, blocks, ts, thread_ts: threadTs, reply_broadcast: broadcast }: Body): Body | string {
    if (path === '/api/auth.test') return {};
    if (channel !== this.channel) return 'channel_not_found';
    if (typeof text !== 'string' || text === '') return 'no_text';
    if (text.length > 4_000) this.violations.push(`a text of ${text.length} characters`);
    this.violations.push(...wrongMarkup(text));
    const wrong = this.#check(blocks);
    if (wrong.length > 0) return 'invalid_blocks';
    const content = { text, blocks: (blocks ?? []) as Record<string, unknown>[] };
    if (path === '/api/chat.update') {
      const message = this.messages.find((one) => one.ts === ts);
      if (!message) return 'message_not_found';
      message.edits.push(message.text);
      Object.assign(message, content);
      return { ts: message.ts };
    }
    if (path !== '/api/chat.postMessage') return 'unknown_method';
    if (threadTs !== undefined && !this.messages.some((one) => one.ts === threadTs)) return 'thread_not_found';
    const last = this.#lastPost.get(this.channel) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - last < this.postEvery) return 'limited';
    this.#lastPost.set(this.channel, this.#now());
    this.#count += 1;
    const message: SlackMessage = {
      ts: `${Math.floor(this.#now() / 1_000)}.${String(this.#count).padStart(6, '0')}`,
      channel: this.channel,
      ...content,
      edits: [],
    };
    if (typeof threadTs === 'string') Object.assign(message, { threadTs, ...(broadcast === true && { broadcast }) });
    this.messages.push(message);
    return { ts: message.ts };
  }

  #check(blocks: unknown): string[] {
    const wrong = wrongBlocks(blocks);
    this.violations.push(...wrong);
    return wrong;
  }
}
