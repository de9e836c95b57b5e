import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { INCIDENT_CHANGED, type IncidentChanged } from '../../events/incident-changed.ts';
import { sweep } from '../../functions/kubemend/notify-slack/index.ts';
import { Notifier } from '../../functions/kubemend/notify-slack/notifier.ts';
import { assertMayAct, type MayAct } from '../../shared/acting.ts';
import type { LocalBus } from '../../shared/bus/local.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Remediation } from '../../shared/remediation.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { slack as slackApi } from '../../shared/slack/client.ts';
import { SqliteLetters } from '../../shared/slack/sqlite-letters.ts';
import type { State } from '../../shared/state/state.ts';
import { startSlackServer } from './slack-server.ts';

/** How Slack is reached, and who may answer. */
export interface SlackOptions {
  /** The bot token, read again for each call. */
  token(): Promise<string>;
  /** Id of the channel: C… */
  channel: string;
  /** Absent: messages only, nobody can answer. Port 0 takes a free one. */
  answers?: { signingSecret(): Promise<string>; approvers: string[]; host: string; port: number; answerOrigins?: string[] } | undefined;
  /** For tests. */
  api?: string;
}

interface Surroundings {
  bus: LocalBus;
  state: State;
  schedule: Schedule;
  database: DatabaseSync;
  remediations: Remediation[];
  clock: Clock;
  owner: string;
  mayAct: MayAct;
  onProblem(message: string): void;
}

/** Slack beside a local run. */
export interface LocalSlack {
  /** Where clicks are taken; undefined without `answers`. */
  port: number | undefined;
  /** Resolves when nothing is being sent and no click is at hand. */
  idle(): Promise<void>;
  /** Resolves when nothing is being sent; what is pending is told after the next start. */
  stop(): Promise<void>;
}

const SWEEP = 60_000;

/** Tells Slack what happens to incidents, and takes clicks. Nothing waits for Slack: a change is only stored, and told beside. */
export async function startSlack(options: SlackOptions, surroundings: Surroundings): Promise<LocalSlack> {
  const { bus, state, schedule, database, remediations, clock, owner, mayAct, onProblem } = surroundings;
  const { token, channel, answers, api } = options;
  const letters = new SqliteLetters(database, clock.now);
  const slack = slackApi({
    // Asked before every request: whoever may not act posts nothing.
    async token() {
      assertMayAct(mayAct);
      return token();
    },
    ...(api && { api }),
  });
  const notifier = new Notifier({ slack, channel, letters, state, owner, onProblem, now: clock.now });
  const about = (name: string) => remediations.find((remediation) => remediation.name === name);
  let stopped = false;
  let cancel: () => void = () => undefined;
  let telling: Promise<void> = Promise.resolve();

  const tell = (): void => {
    if (stopped) return;
    telling = notifier.flush().then(
      (again) => wake(again),
      (error: Error) => {
        onProblem(`Slack is told later: ${error.message}`);
        wake(clock.now() + SWEEP);
      },
    );
  };
  const wake = (at: number | undefined): void => {
    cancel();
    if (at !== undefined && !stopped) cancel = clock.at(at, tell);
  };
  bus.subscribe({ source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, async ({ detail }) => {
    await notifier.keep(detail as unknown as IncidentChanged);
    tell();
  });
  let cancelSweep: () => void = () => undefined;
  let sweeping: Promise<void> = Promise.resolve();
  const look = (): void => {
    if (stopped) return;
    cancelSweep = clock.at(clock.now() + SWEEP, look);
    sweeping = sweep({ state, letters, about, now: clock.now }, notifier).then(tell, (error: Error) =>
      onProblem(`What Slack missed could not be found: ${error.message}`),
    );
  };
  const server =
    answers &&
    (await startSlackServer(answers.host, answers.port, {
      ...{ state, schedule, remediations, onProblem, now: clock.now, requestId: randomUUID },
      ...{ approvers: answers.approvers, signingSecret: answers.signingSecret },
      ...(answers.answerOrigins && { answerOrigins: answers.answerOrigins }),
    }));
  const idle = async (): Promise<void> => {
    await server?.idle();
    for (let seen: Promise<void> | undefined; seen !== telling; ) {
      seen = telling;
      await sweeping;
      await seen;
    }
  };
  look();
  return {
    port: server?.port,
    idle,
    async stop() {
      stopped = true;
      cancel();
      cancelSweep();
      await server?.stop();
      await idle();
    },
  };
}
