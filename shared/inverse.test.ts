import { expect, it } from '@jest/globals';
import { memoryArtifacts } from '../test/toy-world.ts';
import type { Cluster } from './cluster.ts';
import type { Incident } from './incident.ts';
import { inversePlan } from './inverse.ts';
import type { Plan, Step } from './plan.ts';
import { complete } from './remediation.ts';
import { clear } from './verdict.ts';
import { kept } from './znode-step.ts';

const target = { group: '', version: 'v1', resource: 'pods', namespace: 'kafka', name: 'zookeeper-0' };
const znode = { czxid: '0x1', version: 3, mtime: 7, data: Buffer.from('{"version":0}'), ephemeralOwner: '0x0' };
const remediation = complete('example/mend', {
  title: 'Mend',
  cause: { issue: 'x#1', affects: 'all', because: 'x' },
  when: { source: ['kubernetes'] },
  rights: [],
  writes: [],
  examine: async () => clear(''),
});

async function wayBack(step: Step, backedUp = true, artifact = 'backups/example/mend/i-h-0') {
  const artifacts = memoryArtifacts();
  const backup = { artifact, ...(await artifacts.put(artifact, JSON.stringify([kept('/migration', znode as never)]))) };
  const plan: Plan = { hash: 'h', because: '', evidence: {}, steps: [step], madeAt: 0, expiresAt: 0 };
  const execution = {
    preparedAt: 0,
    steps: [{ index: 0, ...(backedUp && { backup }) }],
    written: [{ index: 0, at: 0, how: 'wrote' as const }],
  };
  return inversePlan(
    { id: 'i', key: 'k', remediation: 'example/mend', plan, execution } as Incident,
    remediation,
    {} as Cluster,
    artifacts,
    0,
  );
}

const deleted: Step = {
  kind: 'delete-znode',
  target,
  reason: 'stale',
  port: 12181,
  path: '/migration',
  lock: { czxid: '0x1', version: 3, mtime: 7 },
  keep: [],
};

it('A node of ZooKeeper that was deleted is created again, from its backup', async () => {
  expect(await wayBack(deleted)).toMatchObject({
    steps: [{ kind: 'create-znode', path: '/migration', data: znode.data.toString('base64') }],
  });
});

it.each<[string, Step, boolean, RegExp]>([
  ['a deletion that kept nothing', deleted, false, /not kept, so it has no inverse/],
  ['a creation', { kind: 'create-znode', target, reason: '', port: 1, path: '/migration', data: '' }, true, /it has no inverse/],
])('%s of a node has no inverse, and that is said', async (_, step, backedUp, says) => {
  expect(await wayBack(step, backedUp)).toMatchObject({ because: expect.stringMatching(says) });
});

it.each(['backups/example/other/i-h-0', 'backups/example/mend/j-h-0', 'backups/x', 'strimzi/0.43.0'])(
  'refuses to write back %s, which is not a backup of the incident',
  async (artifact) => {
    expect(await wayBack(deleted, true, artifact)).toEqual({
      because: expect.stringContaining(`${artifact} is not a backup of this incident`),
    });
  },
);
