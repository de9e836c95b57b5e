import { readAuditEvent } from '../../events/exporter/audit/audit-record.ts';
import { Reducer } from '../../events/exporter/reduce/reduce.ts';
import { readHead } from '../../events/exporter/watch/watch-event.ts';
import type { Envelope } from '../../events/fact.ts';
import type { Artifacts } from '../../shared/artifacts/artifacts.ts';
import { LocalBus } from '../../shared/bus/local.ts';
import { Engine } from '../../shared/engine.ts';
import type { Incident } from '../../shared/incident.ts';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import { SqliteSchedule } from '../../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import type { Recorded } from './bundle.ts';
import { RecordedCluster, RecordedObjects } from './recorded-cluster.ts';

interface Replay {
  events: Recorded[];
  remediations: Remediation[];
  artifacts: Artifacts;
  cluster: string;
  onProblem(message: string): void;
}

/** Runs a recording through the exporter's reducer, the bus and the engine on the recording's own clock. Never writes: there is nothing to write to. */
export async function replay({ events, remediations, artifacts, cluster, onProblem }: Replay): Promise<Incident[]> {
  let now = events[0]?.at ?? 0;
  const clock = { now: () => now, at: () => () => undefined };
  const database = openDatabase(':memory:');
  const state = new SqliteState(database);
  const schedule = new SqliteSchedule(database, clock, onProblem);
  const bus = new LocalBus(onProblem);
  const objects = recordedKinds(events);
  const access = () => ({ examine: () => new RecordedCluster(cluster, objects, artifacts) });
  const engine = new Engine({ remediations, access, state, schedule, bus, artifacts, now: clock.now, owner: 'replay', onProblem });
  const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
  for (const { name, pattern } of rules) bus.subscribe(pattern, ({ detail }) => engine.fact(name, detail as unknown as Fact));
  schedule.start((appointment) => engine.due(appointment));

  const reducer = new Reducer({ cluster, rules });
  const publish = async (facts: Envelope[]) => {
    for (const fact of facts) await bus.publish(fact);
  };
  /** Lets the clock run to `at`, keeping every appointment and every full second on the way. */
  const runTo = async (at: number) => {
    for (;;) {
      const second = Math.floor(now / 1_000) * 1_000 + 1_000;
      const next = Math.min(second, Math.max(now, schedule.nextAt() ?? second));
      if (next > at) break;
      now = next;
      await schedule.deliver();
      if (next === second) await publish(reducer.tick(now));
    }
    now = at;
  };

  for (const recorded of events) {
    await runTo(recorded.at);
    if (recorded.kind === 'read') objects.answer(recorded.read);
    else if (recorded.kind === 'watch') {
      apply(objects, recorded.event);
      await publish(reducer.watch(recorded.event));
    } else {
      const reading = readAuditEvent(recorded.event);
      if (reading.kind === 'record') await publish(reducer.audit(reading.record));
      else if (reading.kind === 'malformed') onProblem(`An audit event was left out: ${reading.because}`);
    }
  }
  await schedule.stop();
  return (await state.list()).sort((a, b) => a.detectedAt - b.detectedAt || (a.key < b.key ? -1 : 1));
}

function recordedKinds(events: Recorded[]): RecordedObjects {
  const objects = new RecordedObjects();
  for (const recorded of events) {
    const head = recorded.kind === 'watch' ? readHead(recorded.event.object) : undefined;
    if (head && recorded.kind === 'watch') objects.declare(head.group, recorded.event.resource);
  }
  return objects;
}

function apply(objects: RecordedObjects, { type, resource, object }: Extract<Recorded, { kind: 'watch' }>['event']): void {
  const head = readHead(object);
  if (!head || type === 'BOOKMARK') return;
  if (type === 'DELETED') objects.remove(head.group, resource, object as KubernetesObject);
  else objects.put(head.group, resource, object as KubernetesObject);
}
