import { setTimeout as delay } from 'node:timers/promises';
import { loadRemediations } from '../infra/remediations.ts';
import { answer } from '../shared/answer.ts';
import { systemClock } from '../shared/clock.ts';
import type { Incident } from '../shared/incident.ts';
import type { Word } from '../shared/input.ts';
import { summary } from '../shared/public-record.ts';
import type { State } from '../shared/state/state.ts';
import { heldBack } from './standing.ts';
import { namedIncident, openStore } from './store.ts';
import { type Call, storeOptions, text, UsageError, type Verb } from './verb.ts';

/** What a verb says about an incident, and what it tells of what came of it. */
export interface Answering extends Pick<Verb, 'summary' | 'usage' | 'examples' | 'options'> {
  word(call: Call, incident: Incident): Word;
  /** `Approved` */
  taken: string;
  /** One line a hint: why nothing changed, and what to run instead. */
  hints?(incident: Incident, call: Call): string[];
  /** What would be written at once: it is not recorded while a pause, the mode or (for a fix) a breaker would withhold that. */
  writes?(incident: Incident): 'fix' | 'undo' | undefined;
  /** States in which a running kubemend is still at it; the verb waits for another. */
  during?: Incident['state'][];
  /** Whether what came of it is what was asked for. */
  reached?(incident: Incident): boolean;
}

const within = { within: { type: 'string', help: 'wait so many seconds for a running kubemend (default: 30)' } } as const;

/** A person's word on an incident, recorded for the running kubemend. */
export const answerVerb = ({ word, taken: done, hints, writes, during, reached, options, ...about }: Answering): Verb => ({
  ...about,
  options: { ...storeOptions, ...options, ...(during && within) },
  positionals: { least: 1, most: 1 },
  async run(call) {
    const { state, schedule, runs: isTaken, place } = await openStore(call);
    const named = await namedIncident(state, call.positionals[0] ?? '');
    const input = word(call, named);
    const remediations = await loadRemediations();
    const what = writes?.(named);
    // In AWS the limits of breakers may be others than this checkout knows.
    const limitsKnown = text(call, 'aws-table') === undefined;
    const withheld = what && (await heldBack(state, named, what, { remediations, limitsKnown }));
    if (withheld !== undefined) {
      if (call.json) call.out(JSON.stringify({ taken: false, withheld, ...summary(named) }));
      else {
        call.out(`Nothing changed: incident ${named.id} is ${named.state} (${named.because}).`);
        call.out(`Nothing would be written now: ${withheld}`);
      }
      return 1;
    }
    const { taken, incident: next } = await answer({ state, schedule, remediations, id: named.id, input, now: systemClock.now() });
    const runs = await isTaken();
    const incident = next && taken && runs && during ? await outcome(state, next, during, secondsOf(call)) : next;
    if (call.json) call.out(JSON.stringify({ taken, runs, ...(incident && summary(incident)) }));
    else if (taken && incident) {
      call.out(`${done}: incident ${incident.id} is ${incident.state} (${incident.because}).`);
      if (!runs) call.out(`No kubemend runs on ${place} now; it is taken up by the next: kubemend run`);
    } else {
      call.out(`Nothing changed: incident ${named.id} is ${incident?.state} (${incident?.because}).`);
      for (const line of incident && hints ? hints(incident, call) : []) call.out(line);
    }
    if (!taken) return 1;
    return runs && reached && incident && !reached(incident) ? 1 : 0;
  },
});

/** Follows the incident until a running kubemend is done with it, or for so long. */
async function outcome(state: State, incident: Incident, during: Incident['state'][], seconds: number): Promise<Incident> {
  let seen = incident;
  for (const deadline = Date.now() + seconds * 1_000; during.includes(seen.state) && Date.now() < deadline; ) {
    await delay(250);
    seen = (await state.load(incident.id)) ?? seen;
  }
  return seen;
}

function secondsOf(call: Call): number {
  const seconds = Number(text(call, 'within') ?? 30);
  if (!Number.isFinite(seconds) || seconds < 0) throw new UsageError('--within takes seconds, as in --within 60');
  return seconds;
}
