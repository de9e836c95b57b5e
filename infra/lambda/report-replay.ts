import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import type { Adapters, Answer, Invocation } from './handler.ts';
import { NoSchedule } from './no-schedule.ts';
import { notedBus } from './noted-bus.ts';

/**
 * Looks once at what a replayed fact is about, remembering nothing and unable to write (its access has no sender), and tells what it found.
 * Throws when that could not be told.
 */
export async function reportReplay(
  remediation: Remediation,
  { fact, replay }: { fact: Fact; replay: string },
  { bus, artifacts, sender, now, log }: Adapters,
  { requestId, signal }: Invocation,
): Promise<Answer> {
  const notes = [`the fact comes from the archive replay "${replay}": report only, looked once, in shadow`];
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  const schedule = new NoSchedule();
  const problems: string[] = [];
  const engine = new Engine({
    ...{ remediations: [remediation], state, schedule, artifacts, now, owner: requestId },
    bus: notedBus(bus, notes),
    access: (cluster, name) => {
      const reader = sender(cluster, name);
      return { examine: () => new LiveCluster(cluster, reader, artifacts, signal) };
    },
    onProblem: (message) => {
      problems.push(message);
      log({ level: 'error', message, remediation: remediation.name, requestId });
    },
  });
  try {
    await engine.fact(remediation.name, fact);
    const [found] = (await state.list()) as (Incident | undefined)[];
    if (schedule.unfinished) throw new Error(problems.join('; '));
    if (!found) return { taken: false, because: `Fact ${fact.id} is about no object of this remediation` };
    return { taken: true, incident: found.id, cluster: found.cluster, state: found.state, because: found.because, notes };
  } finally {
    database.close();
  }
}
