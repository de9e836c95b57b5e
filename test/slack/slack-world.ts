import { type LocalSlack, startSlack } from '../../infra/local/slack.ts';
import { ACTIONS } from '../../infra/local/slack-server.ts';
import { LocalBus } from '../../shared/bus/local.ts';
import { SqliteLetters } from '../../shared/slack/sqlite-letters.ts';
import type { Toy } from '../toy-remediation.ts';
import { ToyWorld } from '../toy-world.ts';
import { SlackServer } from './server.ts';

/** A toy world whose engine tells a local Slack, and whose people click there. Time passes only when a test says so. */
export class SlackWorld extends ToyWorld {
  readonly approvers = ['U0ADA00001', 'U0BOB00002'];
  readonly slack = new SlackServer(this.clock.now);
  #local: LocalSlack | undefined;

  static async start(toy: Toy = {}, { answers = true } = {}): Promise<SlackWorld> {
    const world = new SlackWorld(toy);
    await world.slack.start();
    await world.open({ answers });
    return world;
  }

  /** Another process tells Slack from now on. */
  async open({ answers = true } = {}): Promise<void> {
    const bus = new LocalBus((problem) => this.problems.push(problem));
    this.bus.publish = (event) => bus.publish(event);
    const { slack, approvers, state, schedule, database, clock, remediation } = this;
    this.#local = await startSlack(
      {
        token: async () => slack.token,
        channel: slack.channel,
        api: slack.api,
        answers: answers
          ? { signingSecret: async () => slack.signingSecret, approvers, host: '127.0.0.1', port: 0, answerOrigins: [slack.origin] }
          : undefined,
      },
      {
        bus,
        state,
        schedule,
        database,
        clock,
        owner: `teller ${clock.now()}`,
        remediations: [remediation],
        mayAct: () => undefined,
        onProblem: (problem) => this.problems.push(problem),
      },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#local?.port}${ACTIONS}`;
  }

  close = async (): Promise<void> => {
    await this.shut();
    await this.slack.stop();
    await this.schedule.stop();
    this.database.close();
  };

  /** The process that tells Slack ends. */
  shut = async (): Promise<void> => this.#local?.stop();

  idle = async (): Promise<void> => this.#local?.idle();

  /** Lets seconds pass until Slack is told everything. */
  async settle(): Promise<void> {
    for (let second = 0; second < 300; second += 1) {
      await this.idle();
      if ((await new SqliteLetters(this.database, this.clock.now).pending(1)).length === 0) return;
      await this.run(1_000);
    }
    throw new Error(`Slack is never told: ${this.problems.join('; ')}`);
  }

  /** Time passes, and Slack is told meanwhile. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.idle();
    while (this.clock.now() < end) {
      await this.run(Math.min(5_000, end - this.clock.now()));
      await this.idle();
    }
    await this.settle();
  }
}
