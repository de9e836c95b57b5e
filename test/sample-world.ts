import { readFileSync } from 'node:fs';
import type { ObjectChanged } from '../events/object-changed.ts';
import { Engine } from '../shared/engine.ts';
import type { Mode } from '../shared/input.ts';
import { LiveCluster } from '../shared/kubernetes/live-cluster.ts';
import { documentsOf } from '../shared/kubernetes/yaml.ts';
import { complete, type Definition } from '../shared/remediation.ts';
import { SqliteSchedule } from '../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import type { Verdict } from '../shared/verdict.ts';
import { type Logged, MemoryCluster } from './memory-cluster.ts';
import { groupOf, resourceOf } from './scenarios/sample/names.ts';
import { memoryArtifacts } from './toy-world.ts';
import { runUntil, VirtualClock } from './virtual-clock.ts';

/** What became of a sample. */
export interface Played {
  verdicts: Verdict[];
  state: string;
  /** Requests that changed something. */
  writes: Logged[];
}

const START = Date.parse('2026-01-01T00:00:00.500Z');
const HOUR = 3_600_000;

/** Plays a sample of a failure against a remediation, in memory and without waiting: the whole engine, a fact about the last document, an hour. */
export async function playSample(definition: Definition, sample: URL, mode: Mode = 'auto'): Promise<Played> {
  const remediation = complete('sample/sample', definition);
  const documents = await documentsOf(readFileSync(sample, 'utf8'));
  const last = documents.at(-1);
  if (!last) throw new Error('The sample holds no object');
  const kinds = [
    ...new Set([
      ...documents.map((one) => `${groupOf(one).path}/${resourceOf(one)}`),
      ...remediation.rights.flatMap(({ group, resources }) =>
        resources.map((resource) => `/apis/${group}/v1/${resource}`.replace('/apis//', '/api/')),
      ),
    ]),
  ];
  const clock = new VirtualClock(START);
  const cluster = new MemoryCluster(kinds, clock.now);
  for (const { metadata, ...rest } of documents) {
    const { path } = groupOf(rest);
    const at = `${path}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ''}/${resourceOf(rest)}/${metadata.name}`;
    if (cluster.get(at)) cluster.change(at, { ...rest, metadata });
    else cluster.create(at, { ...rest, metadata });
  }
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  const schedule = new SqliteSchedule(database, clock, throwing);
  await state.set(`mode/${remediation.name}`, mode);
  const engine = new Engine({
    ...{ remediations: [remediation], state, schedule, artifacts: memoryArtifacts(), now: clock.now, owner: 'sample', onProblem: throwing },
    bus: { publish: async () => undefined },
    access: (name) => ({ examine: () => new LiveCluster(name, cluster, memoryArtifacts()), sender: cluster }),
  });
  schedule.start((appointment) => engine.due(appointment));
  const { path, group, version } = groupOf(last);
  const { namespace, name } = last.metadata;
  const live = cluster.get(`${path}${namespace ? `/namespaces/${namespace}` : ''}/${resourceOf(last)}/${name}`);
  const fact: ObjectChanged = {
    id: 'sample-fact',
    cluster: 'sample',
    observedAt: new Date(START).toISOString(),
    coverage: { sources: ['watch'], gap: false, dropped: 0 },
    object: {
      group,
      version,
      resource: resourceOf(last),
      kind: `${last.kind}`,
      ...(namespace && { namespace }),
      name,
      ...(live?.metadata.uid && { uid: live.metadata.uid }),
    },
    ...{ change: 'modified', changed: [], phantom: false },
    current: live as Record<string, unknown>,
  };
  await engine.fact(remediation.name, fact);
  await runUntil(clock, [schedule], START + HOUR);
  const [incident] = await state.list();
  database.close();
  if (!incident) throw new Error('The definition’s subject() says that the sample is none of its business');
  return { verdicts: incident.history.flatMap(({ verdict }) => verdict ?? []), state: incident.state, writes: cluster.writes };
}

const throwing = (problem: string): never => {
  throw new Error(problem);
};
