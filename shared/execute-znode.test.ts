import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { recreateWithSameVersion, setZnode } from '../test/scenarios/zookeeper/kafka-nodes.ts';
import { startZookeeper, type ZookeeperServer } from '../test/scenarios/zookeeper/server.ts';
import { memoryArtifacts } from '../test/toy-world.ts';
import { allLive } from './evidence.ts';
import { execute, rehearse } from './execute.ts';
import { UpgradeRefusedError } from './kubernetes/upgrade.ts';
import { makePlan, type Step } from './plan.ts';
import type { Sender } from './sender.ts';
import { trace } from './trace.ts';
import { type DeleteZnode, deleteStep, inverseOf, kept } from './znode-step.ts';
import { createZnode, deleteZnode, readZnode, type ZookeeperSession } from './zookeeper/client.ts';

const PATH = '/migration';
const reference = { namespace: 'kafka', pod: 'my-cluster-zookeeper-0', port: 12181, path: PATH };
const DELETE = 2;
let server: ZookeeperServer;
let other: ZookeeperSession;
let step: DeleteZnode;

beforeAll(async () => {
  server = await startZookeeper();
  other = await server.connect();
}, 120_000);
afterAll(async () => {
  await other.close();
  await server.stop();
}, 20_000);

beforeEach(async () => {
  if (await readZnode(other, PATH)) await deleteZnode(other, PATH, -1);
  await createZnode(other, PATH, Buffer.from('bytes'));
  await setZnode(other, PATH, 'bytes!');
  const znode = await readZnode(other, PATH);
  step = deleteStep(reference, znode as NonNullable<typeof znode>, [], 'because');
});

/** Loses the connection at the deletion: before ZooKeeper has it, or after. */
function sender(lost?: 'before' | 'after'): Sender {
  return {
    send: () => Promise.reject(new Error('nothing is sent to the API server')),
    async portForward() {
      const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
      return lost ? loseAtDelete(socket, lost) : socket;
    },
  };
}

function loseAtDelete(socket: Duplex, lost: 'before' | 'after'): Duplex {
  let opened = false;
  const stream: Duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      const deletes = opened && chunk.readInt32BE(8) === DELETE;
      opened = true;
      if (!deletes) socket.write(chunk, done);
      else if (lost === 'before') stream.destroy(new Error('socket hang up'));
      else socket.write(chunk, () => socket.once('data', () => stream.destroy(new Error('socket hang up'))));
      if (deletes && lost === 'after') silent = true;
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  let silent = false;
  socket.on('data', (data) => silent || stream.push(data));
  return stream;
}

const run = (one: Step, { blocked, lost }: { blocked?: string; lost?: 'before' | 'after' } = {}) => {
  const guard = async () => (blocked === undefined ? undefined : { reason: blocked });
  return execute({ step: one, lock: { index: 0 }, incident: 'i', now: 1, sender: sender(lost), artifacts: memoryArtifacts(), guard });
};
const look = (one: Step, by = sender()) =>
  trace({ step: one, lock: { index: 0 }, incident: 'i', now: 1, sender: by, artifacts: memoryArtifacts() });
const there = async (): Promise<boolean> => (await readZnode(other, PATH)) !== undefined;

describe('a node of ZooKeeper is deleted at most once, and only as it was judged', () => {
  it('is deleted under its lock; the rehearsal deletes nothing', async () => {
    const rehearsed = await rehearse({ step, lock: { index: 0 }, incident: 'i', now: 1, sender: sender(), artifacts: memoryArtifacts() });
    expect(rehearsed.kind).toBe('written');
    expect(await there()).toBe(true);
    expect(await run(step)).toEqual({ kind: 'written', written: { at: 1, how: 'wrote' } });
    expect(await there()).toBe(false);
  });

  it.each<[string, () => Promise<unknown>, { blocked?: string }, string, RegExp]>([
    ['it was written', () => setZnode(other, PATH, 'x'), {}, 'conflict', /version 1, now 2/],
    ['it was created again with the same version', () => recreateWithSameVersion(other, 1), {}, 'conflict', /deleted and created again/],
    ['nothing may be written any more', async () => undefined, { blocked: 'kubemend is paused' }, 'withheld', /paused/],
  ])('stays when %s', async (_, mutate, more, kind, because) => {
    await mutate();
    expect(await run(step, more)).toMatchObject({ kind, because: expect.stringMatching(because) });
    expect(await there()).toBe(true);
  });

  it.each<[string, () => Promise<unknown>, object]>([
    ['it stands as it was locked', async () => undefined, { kind: 'unwritten' }],
    ['it was written', () => setZnode(other, PATH, 'x'), { kind: 'overtaken', reason: expect.stringMatching(/version 1, now 2/) }],
    [
      'it was created again with the same version',
      () => recreateWithSameVersion(other, 1),
      { kind: 'overtaken', reason: expect.stringMatching(/deleted and created again/) },
    ],
  ])('a deletion without an answer is traced: %s', async (_, mutate, found) => {
    await mutate();
    expect(await look(step)).toEqual(found);
  });

  it('gone is ours only when we may have asked for it', async () => {
    await deleteZnode(other, PATH, -1);
    expect(await run(step)).toMatchObject({ kind: 'conflict', because: expect.stringContaining('somebody else deleted it') });
    expect(await look(step)).toMatchObject({ kind: 'written', written: { how: 'found' } });
  });

  it('a lost answer is looked up: gone is found, still there is not known', async () => {
    expect(await run(step, { lost: 'before' })).toMatchObject({ kind: 'unknown', because: expect.stringContaining('socket hang up') });
    expect(await there()).toBe(true);
    expect(await run(step, { lost: 'after' })).toMatchObject({ kind: 'written', written: { how: 'found' } });
    expect(await there()).toBe(false);
  });

  it('a refusal of the API server is a missing permission; where the path is silent nothing is sent, and what was sent before stays unknown', async () => {
    const refuse = (error: Error): Sender => ({ ...sender(), portForward: () => Promise.reject(error) });
    const base = { step, lock: { index: 0 }, incident: 'i', now: 1, artifacts: memoryArtifacts() };
    const forbidden = new UpgradeRefusedError('port-forward to pods x', 403, '{"message":"pods \\"x\\" is forbidden"}');
    expect(await execute({ ...base, sender: refuse(forbidden) })).toMatchObject({ kind: 'forbidden' });
    const [silent, over] = [refuse(new Error('no answer')), refuse(Object.assign(new Error('too late'), { sent: false }))];
    expect(await execute({ ...base, sender: silent })).toMatchObject({ kind: 'withheld' });
    expect(await look(step, silent)).toMatchObject({ kind: 'unreadable', sent: true });
    expect(await look(step, over)).toMatchObject({ kind: 'unreadable', sent: false });
  });

  it('the inverse puts the saved bytes back, and only where nothing is', async () => {
    const backup = JSON.stringify([kept(PATH, (await readZnode(other, PATH)) as NonNullable<Awaited<ReturnType<typeof readZnode>>>)]);
    const inverse = inverseOf(step, backup);
    expect(await run(inverse)).toMatchObject({ kind: 'conflict', because: expect.stringContaining('is there again') });
    await run(step);
    expect(await run(inverse)).toMatchObject({ kind: 'written', written: { how: 'wrote' } });
    expect(`${(await readZnode(other, PATH))?.data}`).toBe('bytes!');
    expect(await look(inverse)).toMatchObject({ kind: 'written', written: { how: 'found' } });
    expect(() => inverseOf(step, '[]')).toThrow('The backup holds no /migration');
  });

  it('two nodes behind one pod are two targets, one node twice is refused', () => {
    const fix = (...steps: Step[]) => makePlan({ kind: 'fix', because: '', evidence: allLive({ node: 'there' }), steps }, 's', 0, '15m');
    expect(fix(step, { ...step, path: '/other' }).steps).toHaveLength(2);
    expect(() => fix(step, step)).toThrow('Two steps change the same object');
  });
});
