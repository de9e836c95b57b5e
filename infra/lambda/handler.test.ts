import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../events/fact.ts';
import { incidentChanged } from '../../events/incident-changed.ts';
import { UnknownClusterError } from '../../shared/acting.ts';
import { DirectoryArtifacts } from '../../shared/artifacts/directory.ts';
import { allLive } from '../../shared/evidence.ts';
import type { Mode } from '../../shared/input.ts';
import type { Request } from '../../shared/kubernetes/transport.ts';
import { jsonPatch, targetOf } from '../../shared/plan.ts';
import { type Definition, remediation } from '../../shared/remediation.ts';
import type { Appointment } from '../../shared/schedule/schedule.ts';
import { wasNotSent } from '../../shared/sender.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { clear, fix } from '../../shared/verdict.ts';
import { atLeast, whenWritesCounted } from '../../shared/when.ts';
import { MemoryCluster } from '../../test/memory-cluster.ts';
import { OutOfTimeError } from './act.ts';
import { type Adapters, type LambdaContext, makeHandler } from './handler.ts';
import type { Line } from './log.ts';

const NOW = Date.parse('2026-11-21T04:00:00Z');
const iso = (ms: number): string => new Date(NOW + ms).toISOString();

const detail = {
  id: 'fact-0001',
  cluster: 'prod',
  observedAt: iso(0),
  coverage: { sources: ['audit'], gap: false, dropped: 0 },
  object: { group: 'example.io', version: 'v1', resource: 'things', namespace: 'n', name: 'a', uid: 'u' },
  window: { seconds: 60, start: iso(-60_000), end: iso(0) },
  ...{ writes: 5, changes: 0, noops: 5, phantoms: 0, errors: 0, codes: { 200: 5 }, actors: [], recent: [], shape: 'noop' },
};
const event = { id: 'e-1', source: 'kubernetes', 'detail-type': 'Writes Counted', time: iso(0), detail };

const definition: Definition = remediation({
  title: 'Calm a thing',
  cause: { issue: 'none', affects: 'none', because: 'none' },
  when: whenWritesCounted({ group: 'example.io', resource: 'things' }, '60s', { noops: atLeast(3) }),
  rights: [],
  writes: [{ operation: 'patch', group: 'example.io', resource: 'things', worst: 'calm things', changes: { '/spec/calm': '^true$' } }],
  limits: { confirmAfter: '30s', settleWithin: '1s', stableFor: '5s' },
  async examine({ incident, cluster }) {
    const live = await cluster.get(incident.object);
    if (live?.spec?.calm) return clear('it is calm');
    if (!live) throw new Error('gone');
    const steps = [jsonPatch(targetOf(incident.object, live), [{ op: 'add', path: '/spec/calm', value: true }], 'calm it')];
    return fix('it is restless', { evidence: allLive({ calm: false }), steps });
  },
});

/** The function on a table and a schedule in memory, and a cluster that takes what it is sent. */
async function run({ mode = 'shadow', ...changes }: Partial<Adapters> & { mode?: Mode } = {}) {
  let now = NOW;
  const cluster = new MemoryCluster(['/apis/example.io/v1/things'], () => now);
  const live = cluster.create('/apis/example.io/v1/namespaces/n/things/a', { apiVersion: 'example.io/v1', kind: 'Thing', spec: {} });
  const about = { ...event, detail: { ...detail, object: { ...detail.object, uid: live.metadata.uid } } };
  const told: Envelope[] = [];
  const put: Appointment[] = [];
  const lines: Line[] = [];
  const state = new SqliteState(openDatabase(':memory:'));
  await state.set('mode/example/calm-thing', mode);
  const adapters: Adapters = {
    bus: { publish: async (outcome) => void told.push(outcome) },
    state,
    schedule: { put: async (appointment) => void put.push(appointment) },
    artifacts: new DirectoryArtifacts({ directory: join(tmpdir(), `kubemend-handler-${crypto.randomUUID()}`) }),
    sender: (name) => {
      if (name !== 'prod') throw new UnknownClusterError(`not given: ${name}`);
      return cluster;
    },
    now: () => now,
    log: (line) => lines.push(line),
    ...changes,
  };
  const handler = makeHandler('example/calm-thing', definition, () => adapters);
  /** Hands over what was put last, at its time. */
  const next = (context: LambdaContext = {}) => {
    const appointment = put.at(-1) as Appointment;
    now = Math.max(now, appointment.at);
    return handler({ appointment }, { awsRequestId: `r-${put.length}`, ...context });
  };
  return { handler, cluster, state, about, told, put, lines, next };
}

const statesOf = (told: Envelope[]) => told.map(({ detail: { state } }) => state);

describe('the Lambda entry', () => {
  it('declares two parameters: nodejs24.x refuses three', async () => expect((await run()).handler).toHaveLength(2));

  it('plans in shadow, remembers it, and does not write', async () => {
    const { handler, about, told, cluster, state, next } = await run();
    expect(await handler(about, {})).toMatchObject({ taken: true, state: 'planned', because: 'it is restless', cluster: 'prod' });
    expect(await next()).toMatchObject({ taken: true, state: 'shadowed' });
    expect(statesOf(told)).toEqual(['detected', 'planned', 'shadowed']);
    expect((await state.list()).map((incident) => incident.state)).toEqual(['shadowed']);
    expect([cluster.writes, new Set(cluster.requests.map(({ method }) => method))]).toEqual([[], new Set(['GET'])]);
  });

  it('confirms, writes once and verifies, one invocation after the other, as the mode in the table allows', async () => {
    const { handler, about, told, cluster, put, next } = await run({ mode: 'auto' });
    await handler(about, {});
    expect(put.at(-1)).toMatchObject({ at: NOW + 30_000 });
    expect(await next()).toMatchObject({ state: 'applied' });
    for (let looks = 0; looks < 9 && statesOf(told).at(-1) !== 'verified'; looks += 1) await next();
    expect(statesOf(told)).toEqual(['detected', 'planned', 'executing', 'applied', 'verified']);
    expect(cluster.writes).toHaveLength(1);
  });

  it('takes the same event and the same appointment twice and does everything once', async () => {
    const { handler, about, told, cluster, put, next } = await run({ mode: 'auto' });
    await Promise.all(['r-a', 'r-b'].map((awsRequestId) => handler(about, { awsRequestId })));
    const due = put.at(-1);
    await next();
    await handler({ appointment: due }, {});
    expect([cluster.writes.length, statesOf(told)]).toEqual([1, ['detected', 'planned', 'executing', 'applied']]);
  });

  it('does not begin to write with too little time left; the next invocation does, and nothing is told twice', async () => {
    const { handler, about, cluster, told, put, lines, next } = await run({ mode: 'auto' });
    await handler(about, {});
    await expect(next({ getRemainingTimeInMillis: () => 14_000 })).rejects.toThrow('too little time is left to prepare');
    expect(cluster.writes).toEqual([]);
    const { incident } = put.at(-1) as Appointment;
    expect(lines.at(-1)).toMatchObject({ level: 'error', incident, failed: 1, requestId: 'r-1' });
    await handler({ appointment: put.at(-1) }, { awsRequestId: 'later' });
    // The first one's lease has not run out yet: it is woken then.
    expect(cluster.writes).toEqual([]);
    expect(put.at(-1)).toMatchObject({ incident, token: 'wake' });
    expect(await next()).toMatchObject({ state: 'applied' });
    expect([cluster.writes.length, statesOf(told)]).toEqual([1, ['detected', 'planned', 'executing', 'applied']]);
  });

  it('says of what it does not send any more that it was not sent', () => expect(wasNotSent(new OutOfTimeError('over'))).toBe(true));

  it('logs each change with its incident, and counts it for CloudWatch', async () => {
    const { handler, about, lines } = await run();
    const answer = await handler(about, { awsRequestId: 'request-1' });
    if (!answer.taken) throw new Error(answer.because);
    const { incident } = answer;
    expect(lines.map(({ incident: named, requestId }) => [named, requestId])).toEqual(lines.map(() => [incident, 'request-1']));
    expect(lines[0]).toMatchObject({ message: 'detected: the rule matched', incidentChanged: 1, state: 'detected', cluster: 'prod' });
    expect(lines.at(-1)).toMatchObject({
      ...{ handled: 1, milliseconds: 0, remediation: 'example/calm-thing', cold: true },
      _aws: {
        Timestamp: NOW,
        CloudWatchMetrics: [
          {
            Namespace: 'kubemend',
            Dimensions: [['remediation']],
            Metrics: [
              { Name: 'handled', Unit: 'Count' },
              { Name: 'milliseconds', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
    });
  });

  it('only reports what was replayed, in whatever mode, and keeps nothing of it', async () => {
    const { handler, about, told, cluster, state, put } = await run({ mode: 'auto' });
    const answer = await handler({ ...about, 'replay-name': 'yesterday' }, {});
    expect(answer).toMatchObject({ taken: true, state: 'planned', notes: [expect.stringContaining('report only')] });
    expect(incidentChanged.parse(told[1]?.detail).because).toContain('archive replay "yesterday": report only');
    expect([cluster.writes, put, await state.list()]).toEqual([[], [], []]);
  });

  const { writes: _, ...incomplete } = detail;
  it.each([
    ['that is no object', 'hello', 'The event is no EventBridge event'],
    ['without an envelope', detail, 'The event is no EventBridge event'],
    ['without its count', { ...event, detail: incomplete }, 'Event e-1 is no Writes Counted: writes'],
    ['of another type', { ...event, 'detail-type': 'Incident Changed' }, 'Event e-1 is "Incident Changed"'],
    ['that the rule does not match', { ...event, detail: { ...detail, noops: 2 } }, "does not match this remediation's rule"],
    ['of a cluster it was not given', { ...event, detail: { ...detail, cluster: 'other' } }, 'not given: other'],
    ['about an incident that is not there', { appointment: { incident: 'abcdef', token: 1, at: 0 } }, 'is not in the state table'],
  ])('answers and logs an event %s, and does not throw: nobody should send it again', async (_name, bad, because) => {
    const { handler, cluster, told, lines, state } = await run();
    expect(await handler(bad, {})).toEqual({ taken: false, because: expect.stringContaining(because) });
    expect(lines).toEqual([expect.objectContaining({ level: 'error', message: expect.stringContaining(because), refused: 1 })]);
    expect([cluster.requests, told, await state.list()]).toEqual([[], [], []]);
  });

  it('touches no incident of another remediation', async () => {
    const { handler, state, put, cluster, about } = await run();
    await handler(about, {});
    const [incident] = await state.list();
    if (!incident) throw new Error('no incident');
    await state.save({ ...incident, remediation: 'example/other', revision: incident.revision + 1 }, incident.revision);
    const asked = cluster.requests.length;
    expect(await handler({ appointment: put[0] }, {})).toMatchObject({
      taken: false,
      because: expect.stringContaining('one of example/other'),
    });
    expect(cluster.requests).toHaveLength(asked);
  });

  it('doubts when the API server does not answer, and looks again by itself', async () => {
    const { handler, about, cluster, put } = await run();
    cluster.intercept = () => 'lost before';
    expect(await handler(about, {})).toMatchObject({ state: 'waiting', because: expect.stringContaining('socket hang up') });
    expect(put.at(-1)).toMatchObject({ at: NOW + 5_000 });
  });

  it('aborts reading before its time is over, and still stores and tells', async () => {
    const hanging = {
      send: ({ signal }: Request) =>
        new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('out of time')))),
    };
    const { handler, about, told } = await run({ sender: () => hanging });
    expect(await handler(about, { getRemainingTimeInMillis: () => 5_050 })).toMatchObject({ state: 'waiting' });
    expect(told[1]?.detail.because).toContain('out of time');
  });

  it('goes on when the outcome cannot be told, and is woken to tell it', async () => {
    const publish = async () => Promise.reject(new Error('no bus'));
    const { handler, about, put, lines } = await run({ bus: { publish } });
    expect(await handler(about, {})).toMatchObject({ taken: true, state: 'planned' });
    expect(put.at(-1)).toMatchObject({ token: 'wake' });
    expect(JSON.stringify(lines)).toContain('could not be told: no bus');
  });

  it.each([
    ['the table is away', { load: async () => Promise.reject(new Error('no table')) }, 'no table'],
    ['the table takes nothing', { save: async () => Promise.reject(new Error('no table')) }, 'no table'],
  ])('throws when %s: then it is asked again', async (_, broken, because) => {
    const world = await run({ mode: 'auto' });
    Object.assign(world.state, broken);
    await expect(world.handler(world.about, {})).rejects.toThrow(because);
    expect(world.cluster.writes).toEqual([]);
  });

  it('throws when it is not configured, every time: the event is kept for the dead-letter queue', async () => {
    const handler = makeHandler('example/calm-thing', definition, () => {
      throw new Error('The environment lacks KUBEMEND_BUS');
    });
    await expect(handler(event, {})).rejects.toThrow('KUBEMEND_BUS');
    await expect(handler(event, {})).rejects.toThrow('KUBEMEND_BUS');
  });
});
