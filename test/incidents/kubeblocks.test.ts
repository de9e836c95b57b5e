import { describe, expect, it } from '@jest/globals';
import { allLive } from '../../shared/evidence.ts';
import type { Incident } from '../../shared/incident.ts';
import { play } from './play.ts';

const NAME = 'kubeblocks/unstick-opsrequest';
const second = (at: number): string => new Date(at).toISOString().slice(11, 19);
/** What was decided of each operation: the states that are neither waiting nor the beginning. */
const decided = (incidents: Incident[]): [string, string[]][] =>
  incidents
    .filter(({ remediation }) => remediation === NAME)
    .map(({ object, history }) => [
      `${object.resource} ${object.namespace}/${object.name}`,
      history.filter(({ state }) => !['detected', 'waiting'].includes(state)).map(({ at, state }) => `${second(at)} ${state}`),
    ]);
const incidentOf = (incidents: Incident[], name: string): Incident | undefined => incidents.find(({ object }) => object.name === name);

describe('recordings of real KubeBlocks controllers', () => {
  it('last-ordinal: #9000 is proven while it is stuck, and neither on the cancelled operation nor on its retry', async () => {
    const incidents = await play('kubeblocks-last-ordinal');
    expect(decided(incidents)).toEqual([
      ['opsrequests team-02/offline-broker-2', ['01:53:56 cleared']],
      ['opsrequests team-02/online-broker-2', ['01:54:19 planned', '01:54:49 shadowed', '01:57:03 resolved']],
      ['opsrequests team-02/online-broker-2-retry', ['01:57:21 cleared']],
    ]);
    expect(incidentOf(incidents, 'online-broker-2')?.plan).toMatchObject({
      evidence: allLive({
        issue: 'apecloud/kubeblocks#9000',
        kubeblocks: '1.0.0',
        missing: ['kafka-broker-2'],
        replicas: { from: 2, to: 3 },
      }),
      approval: 'always',
      steps: [
        {
          kind: 'json-patch',
          target: { resource: 'clusters', namespace: 'team-02', name: 'kafka' },
          operations: expect.arrayContaining([{ op: 'replace', path: '/spec/componentSpecs/0/replicas', value: 3 }]),
        },
      ],
    });
  });

  it('last-ordinal: a stuck operation is silent, and is found without any further event', async () => {
    const silent = Date.parse('2026-11-21T01:54:18Z');
    const incidents = await play('kubeblocks-last-ordinal', (events) =>
      events.filter(({ at }, n) => at < silent || n === events.length - 1),
    );
    expect(decided(incidents).at(-1)).toEqual(['opsrequests team-02/online-broker-2', ['01:54:19 planned', '01:54:49 shadowed']]);
  });

  it('ordinal-gap: reported while it is stuck, and no replicas are ever raised', async () => {
    const incidents = await play('kubeblocks-ordinal-gap');
    expect(decided(incidents)).toEqual([
      ['opsrequests team-25/scale-out-2', ['01:54:30 cleared']],
      ['opsrequests team-25/offline-broker-4', ['01:54:36 cleared']],
      ['opsrequests team-25/scale-in-1', ['01:54:42 cleared']],
      ['opsrequests team-25/online-broker-4', ['01:55:10 reported', '01:57:49 resolved']],
    ]);
    expect(incidentOf(incidents, 'online-broker-4')?.history.find(({ state }) => state === 'reported')?.verdict).toMatchObject({
      kind: 'report',
      evidence: allLive({ issue: 'apecloud/kubeblocks#9457', missing: ['kafka-broker-4'] }),
      advice: expect.arrayContaining([expect.stringContaining('cancel'), expect.stringContaining('replicaChanges')]),
    });
    expect(incidents.filter(({ plan }) => plan)).toEqual([]);
  });

  it('shards-unchanged: #9790, ended by its timeout', async () => {
    const incidents = await play('kubeblocks-shards-unchanged');
    expect(decided(incidents)).toEqual([
      ['opsrequests team-13/shards-unchanged', ['01:57:12 planned', '01:57:42 shadowed', '01:59:23 resolved']],
    ]);
    expect(incidents[0]?.plan).toMatchObject({
      evidence: allLive({ issue: 'apecloud/kubeblocks#9790', remedy: 'abort', shards: { shard: 2 } }),
      steps: [
        { kind: 'merge-patch', target: { resource: 'opsrequests', name: 'shards-unchanged' }, patch: { spec: { timeoutSeconds: 1 } } },
      ],
    });
  });

  it.each(['kubeblocks-slow-pod', 'kubeblocks-queued'])('%s: healthy, nothing is planned and nobody is told', async (name) => {
    const incidents = await play(name);
    expect(incidents.map(({ plan }) => plan)).toEqual(incidents.map(() => undefined));
    for (const [, states] of decided(incidents)) expect(states.filter((state) => !state.endsWith(' cleared'))).toEqual([]);
    expect(new Set(incidents.map(({ state }) => state))).toEqual(new Set(['cleared']));
  });

  it.each(['kubero-copy-storm', 'kubero-resync', 'strimzi-storm-start', 'strimzi-ca-interrupted'])(
    '%s: no operation at all',
    async (name) => {
      expect(decided(await play(name))).toEqual([]);
    },
  );

  it.each(['clusters', 'pods', 'instancesets'])(
    'without the %s nothing is proven: a kind that was not recorded is never "none"',
    async (resource) => {
      const incidents = await play('kubeblocks-last-ordinal', (events) =>
        events.filter((one) => one.kind !== 'watch' || one.event.resource !== resource),
      );
      expect(incidents.filter(({ plan }) => plan)).toEqual([]);
    },
  );
});
