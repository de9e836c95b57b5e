import type { IncidentChanged } from '../../../events/incident-changed.ts';
import { nextStep, type Slack, SlackError } from '../../../shared/slack/client.ts';
import type { Letter, Letters } from '../../../shared/slack/letter.ts';
import type { State } from '../../../shared/state/state.ts';
import { deliver } from './deliver.ts';
import { LetterBox } from './letter-box.ts';
import { STORM_LIMITS, type StormLimits } from './place.ts';

export interface NotifierOptions {
  slack: Slack;
  /** Id of the channel: C… */
  channel: string;
  letters: Letters;
  /** Only one process at a time sends. */
  state: Pick<State, 'lease' | 'release'>;
  owner: string;
  now(): number;
  onProblem(message: string): void;
  storms?: StormLimits;
}

const LEASE = 'slack/sender';
const LEASE_FOR = 60_000;
/** Slack takes about one new message a second in a channel. */
const POST_EVERY = 1_000;
/** The message, or the one it answers, is not there any more. */
const GONE = ['message_not_found', 'cant_update_message', 'edit_window_closed', 'thread_not_found', 'cannot_reply_to_message'];

/** One living message per incident. `keep` stores what is to be told, `flush` tells it, so Slack can be away as long as it likes; nothing of kubemend waits for it. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #box: LetterBox;
  #postAt = 0;
  #quietUntil = 0;
  #failures = 0;
  #problem: string | undefined;
  #flushed: Promise<unknown> = Promise.resolve();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#box = new LetterBox(options.letters);
  }

  /** Stores a change; it is told by the next `flush`. A repeated or older one changes nothing. */
  keep = (change: IncidentChanged): Promise<void> => this.#box.keep(change);

  /** Tells what is pending, oldest first, as far as Slack takes it. Answers when to come again (milliseconds since the epoch); undefined: all is told. */
  flush(): Promise<number | undefined> {
    const flushed = this.#flushed.then(() => this.#flush());
    this.#flushed = flushed.catch(() => undefined);
    return flushed;
  }

  async #flush(): Promise<number | undefined> {
    const { state, owner, now } = this.#options;
    if (now() < this.#quietUntil) return this.#quietUntil;
    if (!(await this.#hold())) return now() + LEASE_FOR / 4;
    try {
      const away = await this.#stillAway();
      if (away !== undefined) return away;
      for (;;) {
        const letters = await this.#box.pending();
        const waiting = await this.#round(letters);
        if (waiting !== 'more') return waiting;
      }
    } finally {
      await state.release(LEASE, owner);
    }
  }

  /** After a call without an answer nobody knows whether its message was taken. It is asked first whether answers arrive again, so that an outage makes one message too many at most. */
  async #stillAway(): Promise<number | undefined> {
    if (this.#failures === 0) return undefined;
    try {
      await this.#options.slack.ping();
      return undefined;
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      this.#quietUntil = (await this.#trouble(undefined, error)) ?? this.#options.now() + 60_000;
      return this.#quietUntil;
    }
  }

  async #round(letters: Letter[]): Promise<number | undefined | 'more'> {
    const { slack, channel, now, storms = STORM_LIMITS } = this.#options;
    const delivery = {
      ...{ slack, channel, now, storms, box: this.#box },
      mayPost: () => now() >= this.#postAt,
      posted: () => {
        this.#postAt = now() + POST_EVERY;
      },
    };
    let done = 0;
    for (const listed of letters) {
      const letter = await this.#box.stillPending(listed);
      if (!letter) continue;
      if (!(await this.#hold())) return now() + LEASE_FOR / 4;
      try {
        if ((await deliver(letter, delivery)) === 'later') continue;
        done += 1;
        this.#failures = 0;
        this.#problem = undefined;
      } catch (error) {
        if (!(error instanceof SlackError)) throw error;
        const until = await this.#trouble(letter, error);
        if (until !== undefined) {
          this.#quietUntil = until;
          return until;
        }
        done += 1;
      }
    }
    if (letters.length === 0) return undefined;
    return done > 0 || this.#postAt <= now() ? 'more' : this.#postAt;
  }

  /** When to come again after a call that failed; undefined when only this letter is concerned. */
  async #trouble(letter: Letter | undefined, { trouble, message }: SlackError): Promise<number | undefined> {
    const { now } = this.#options;
    if (trouble.kind === 'limited') return now() + trouble.retryAfter;
    if (trouble.kind === 'away') {
      this.#failures += 1;
      this.#say('away', `${message}. What is to be told is kept and told later`);
      return now() + Math.min(60_000, 1_000 * 2 ** Math.min(this.#failures, 6));
    }
    const step = nextStep(trouble.code);
    if (step) {
      this.#say(trouble.code, `${message}: ${step}. What is to be told is kept`);
      return now() + 60_000;
    }
    if (letter) await this.#refused(letter, trouble.code, message);
    return undefined;
  }

  async #refused(letter: Letter, code: string, message: string): Promise<void> {
    const { left } = await this.#box.refused(letter, GONE.includes(code));
    if (left) this.#options.onProblem(`${message}: ${letter.key} is not told. See it with: kubemend incidents`);
  }

  /** The same trouble is said once, until a call succeeds. */
  #say(trouble: string, sentence: string): void {
    if (this.#problem === trouble) return;
    this.#problem = trouble;
    this.#options.onProblem(sentence);
  }

  #hold(): Promise<boolean> {
    const { state, owner, now } = this.#options;
    return state.lease(LEASE, owner, now() + LEASE_FOR, now());
  }
}
