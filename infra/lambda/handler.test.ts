import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../events/fact.ts';
import { incidentChanged } from '../../events/incident-changed.ts';
import { DirectoryArtifacts } from '../../shared/artifacts/directory.ts';
import type { Request } from '../../shared/kubernetes/transport.ts';
import { jsonPatch, targetOf } from '../../shared/plan.ts';
import { type Definition, remediation } from '../../shared/remediation.ts';
import { fix } from '../../shared/verdict.ts';
import { atLeast, whenWritesCounted } from '../../shared/when.ts';
import { UnknownClusterError } from './clusters.ts';
import { type Adapters, makeHandler } from './handler.ts';

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
  async examine({ fact, cluster }) {
    const live = await cluster.get(fact.object);
    if (!live) throw new Error('gone');
    const steps = [jsonPatch(targetOf(fact.object, live), [{ op: 'add', path: '/spec/calm', value: true }], 'calm it')];
    return fix('it is restless', { evidence: {}, steps });
  },
});

const thing = { metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '7' } };

function run(changes: Partial<Adapters> = {}) {
  const requests: Pick<Request, 'method' | 'path'>[] = [];
  const told: Envelope[] = [];
  const lines: { level: string; message: string }[] = [];
  const adapters: Adapters = {
    bus: { publish: async (outcome) => void told.push(outcome) },
    artifacts: new DirectoryArtifacts({ directory: '/nowhere' }),
    getter: (cluster) => {
      if (cluster !== 'prod') throw new UnknownClusterError(`not given: ${cluster}`);
      return {
        async send({ method, path }) {
          requests.push({ method, path });
          return { status: 200, body: thing, warnings: [] };
        },
      };
    },
    now: () => NOW,
    log: (line) => lines.push(line),
    ...changes,
  };
  return { handler: makeHandler('example/calm-thing', definition, () => adapters), requests, told, lines };
}

describe('the Lambda entry', () => {
  it('declares two parameters: nodejs24.x refuses three', () => expect(run().handler).toHaveLength(2));

  it('examines, tells the plan, and says that it looked once in shadow; it only reads', async () => {
    const { handler, requests, told } = run();
    expect(await handler(event, {})).toMatchObject({ taken: true, state: 'planned', because: 'it is restless' });
    expect(told.map(({ detail }) => detail.state)).toEqual(['detected', 'planned']);
    const { because, state, record } = incidentChanged.parse(told[1]?.detail);
    expect([state, record.notes]).toEqual(['planned', [expect.stringContaining('nobody looks again')]]);
    expect(because).toMatch(/^it is restless \(looked once, in shadow/);
    expect(requests).toEqual([{ method: 'GET', path: '/apis/example.io/v1/namespaces/n/things/a' }]);
  });

  it('remembers nothing between two events: the second one is examined and told like the first', async () => {
    const { handler, told } = run();
    await handler(event, {});
    await handler(event, {});
    expect(told.map(({ id }) => id)).toEqual([told[0]?.id, told[1]?.id, told[0]?.id, told[1]?.id]);
  });

  it('says of a replayed fact that it is report only', async () => {
    const { handler, told, lines } = run();
    await handler({ ...event, 'replay-name': 'yesterday' }, {});
    expect(told[0]?.detail.because).toContain('archive replay "yesterday": report only');
    expect(JSON.stringify(lines)).toContain('report only');
  });

  const { writes: _, ...incomplete } = detail;
  it.each([
    ['that is no object', 'hello', 'The event is no EventBridge event'],
    ['without an envelope', detail, 'The event is no EventBridge event'],
    ['without its count', { ...event, detail: incomplete }, 'Event e-1 is no Writes Counted: writes'],
    ['of another type', { ...event, 'detail-type': 'Incident Changed' }, 'Event e-1 is "Incident Changed"'],
    ['that the rule does not match', { ...event, detail: { ...detail, noops: 2 } }, "does not match this remediation's rule"],
    ['of a cluster it was not given', { ...event, detail: { ...detail, cluster: 'other' } }, 'not given: other'],
  ])('answers and logs an event %s, and does not throw: nobody should send it again', async (_name, bad, because) => {
    const { handler, requests, told, lines } = run();
    expect(await handler(bad, {})).toEqual({ taken: false, because: expect.stringContaining(because) });
    expect(lines).toEqual([expect.objectContaining({ level: 'error', message: expect.stringContaining(because) })]);
    expect([requests, told]).toEqual([[], []]);
  });

  it('tells a doubt when the API server does not answer', async () => {
    const send = async () => {
      throw new Error('connection refused');
    };
    const { handler, told } = run({ getter: () => ({ send }) });
    expect(await handler(event, {})).toMatchObject({ state: 'waiting' });
    expect(told[1]?.detail.because).toContain('connection refused');
  });

  it('aborts reading before its time is over, and still tells', async () => {
    const { handler, told } = run({
      getter: () => ({
        send: ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('out of time')))),
      }),
    });
    expect(await handler(event, { getRemainingTimeInMillis: () => 5_050 })).toMatchObject({ state: 'waiting' });
    expect(told[1]?.detail.because).toContain('out of time');
  });

  it('throws when the outcome could not be told: then Lambda tries again', async () => {
    const publish = async () => {
      throw new Error('no bus');
    };
    await expect(run({ bus: { publish } }).handler(event, {})).rejects.toThrow('could not be told: no bus');
  });

  it('throws when it is not configured, every time: the event is kept for the dead-letter queue', async () => {
    const handler = makeHandler('example/calm-thing', definition, () => {
      throw new Error('The environment lacks KUBEMEND_BUS');
    });
    await expect(handler(event, {})).rejects.toThrow('KUBEMEND_BUS');
    await expect(handler(event, {})).rejects.toThrow('KUBEMEND_BUS');
  });
});
