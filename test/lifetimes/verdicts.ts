import { type Done, doneOf, hasEnded, type Incident } from '../../shared/incident.ts';
import type { SentWrite } from './api-server.ts';
import { Life } from './life.ts';

/** What became of one life. `unknown`: the record says itself that a request may have taken effect. */
export interface LifeReport {
  seed: number;
  writes: number;
  unknown: number;
  hung: number;
  incidents: number;
  broken: string[];
  log: string[];
}

const MOVES = 40;
const DAY_AND_MORE = 25 * 3_600_000;

/** Lives one life and compares the records with the cluster. */
export async function examineLife(seed: number): Promise<LifeReport> {
  const life = new Life(seed);
  await life.live(MOVES);
  const incidents = await life.incidents();
  const stored = life.server.writes.filter((write) => write.stored);
  const broken = [...life.broken, ...wrongWrites(stored), ...incidents.flatMap((incident) => stuck(incident, life.timeline.now()))];
  let unknown = 0;
  for (const write of stored) {
    const incident = incidents.find(({ id }) => id === write.by.incident);
    if (incident && isRecorded(incident, write)) {
      if (incident.byHand) broken.push(`lost: incident ${incident.id} wrote, and its record says that a person did`);
    } else if (incident && saysUnknown(incident, write)) unknown += 1;
    else broken.push(`lost: ${JSON.stringify(write.by)} is in the cluster and not in the record`);
  }
  for (const incident of incidents) broken.push(...invented(incident, stored));
  life.database.close();
  const hung = life.log.filter((line) => /a write is (held|stopped|late)/.test(line)).length;
  return { seed, writes: stored.length, unknown, hung, incidents: incidents.length, broken, log: life.log };
}

/** Each step of an execution is written once, while it is allowed, on a widget that is as it was judged. */
function wrongWrites(stored: SentWrite[]): string[] {
  const counts = new Map<string, number>();
  // What the network delivers after the timeout may be reverted by others before any process sees it: the record calls it unknown, and a new plan may say the same.
  for (const { by } of stored.filter(({ late }) => !late)) counts.set(JSON.stringify(by), (counts.get(JSON.stringify(by)) ?? 0) + 1);
  return [
    ...[...counts].filter(([, count]) => count > 1).map(([by, count]) => `double: ${by} was written ${count} times`),
    ...stored.flatMap(({ by, found, forbidden }) => [
      ...(forbidden ? [`wrong: incident ${by.incident} wrote although ${forbidden}`] : []),
      ...(!by.isUndo && found.color !== 'red' ? [`wrong: incident ${by.incident} wrote on a widget that was ${found.color}`] : []),
    ]),
  ];
}

function stuck(incident: Incident, now: number): string[] {
  const { id, state, look } = incident;
  if (incident.effects.length > 0)
    return [`stuck: incident ${id} is ${state} with ${JSON.stringify(incident.effects)}, look ${look?.at}, now ${now}`];
  if (hasEnded(state)) return [];
  const waits = look !== undefined && look.at < now + DAY_AND_MORE && look.at > now - 1_000_000;
  return waits ? [] : [`stuck: incident ${id} is ${state} and waits for ${look ? `a timer at ${look.at}, now ${now}` : 'nothing'}`];
}

const undosOf = ({ undo, undone = [] }: Incident): Done[] =>
  undo?.plan && undo.execution ? [...undone, { plan: undo.plan, execution: undo.execution }] : undone;

const writtenOf = (incident: Incident, isUndo: boolean) =>
  (isUndo ? undosOf(incident) : doneOf(incident)).flatMap(({ plan, execution }) =>
    execution.written.map(({ index }) => ({ hash: plan.hash, step: execution.steps.findIndex((step) => step.index === index) })),
  );

const isRecorded = (incident: Incident, { by }: SentWrite): boolean =>
  writtenOf(incident, by.isUndo).some(({ hash, step }) => hash === by.hash && step === by.step);

/** The record keeps the request as one that may have taken effect, and offers to undo it. */
function saysUnknown(incident: Incident, { by }: SentWrite): boolean {
  const { unanswered = [] } = incident as { unanswered?: { plan: { hash: string }; execution: { attempted?: { step: number } } }[] };
  const kept = unanswered.some(({ plan, execution }) => plan.hash === by.hash && execution.attempted?.step === by.step);
  return kept || (incident.state === 'failed' && /not known to be written/.test(incident.because));
}

/** Writes that only the record knows. An undo that was tried again replaces the record of the one before. */
const invented = (incident: Incident, stored: SentWrite[]): string[] =>
  [true, false].flatMap((isUndo) =>
    writtenOf(incident, isUndo)
      .filter(
        ({ hash, step }) =>
          !stored.some(({ by }) => by.incident === incident.id && by.isUndo === isUndo && by.hash === hash && by.step === step),
      )
      .map(({ hash, step }) => `invented: incident ${incident.id} records step ${step} of ${hash}, which was never written`),
  );
