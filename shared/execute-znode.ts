import { type Execution, holdBack, type Result } from './execute.ts';
import { wasNotSent } from './sender.ts';
import type { Trace, Traced } from './trace.ts';
import { lockOf, type ZnodeStep, znodeName, znodeOf } from './znode-step.ts';
import { BAD_VERSION, NO_AUTH, NO_NODE, NODE_EXISTS, type Znode, ZookeeperError } from './zookeeper/client.ts';
import { atZookeeper } from './zookeeper/reach.ts';
import type { Znodes } from './zookeeper/znodes.ts';

type ZnodeExecution = Execution & { step: ZnodeStep };
type ZnodeTraced = Traced & { step: ZnodeStep };

/** The part of `execute` that writes to ZooKeeper, by the same rules. The leader checks the version; here the rest of the lock is compared. */
export async function executeZnode(execution: ZnodeExecution): Promise<Result> {
  const { step, sender, now } = execution;
  let sent = false;
  try {
    return await atZookeeper(sender, znodeOf(step), async (znodes): Promise<Result> => {
      const moved = againstLock(await znodes.read(step.path), step);
      if (moved) return { kind: 'conflict', because: moved };
      const held = await holdBack(execution);
      if (held) return held;
      sent = true;
      await write(znodes, step);
      return { kind: 'written', written: { at: now, how: 'wrote' } };
    });
  } catch (error) {
    const failed = refusal(error as Error, step);
    if (failed.kind === 'conflict' && sent) return { ...failed, sent };
    if (failed.kind !== 'unknown') return failed;
    if (!sent) return { ...failed, kind: 'withheld' };
    const found = await traceZnode(execution);
    return found.kind === 'written' ? found : failed;
  }
}

/** Reads the node with the lock that the write would have; ZooKeeper has no dry run. */
export async function rehearseZnode({ step, sender, now }: ZnodeExecution): Promise<Result> {
  try {
    const moved = againstLock(await read({ step, sender }), step);
    return moved ? { kind: 'conflict', because: moved } : { kind: 'written', written: { at: now, how: 'wrote' } };
  } catch (error) {
    return refusal(error as Error, step);
  }
}

/** The part of `trace` that reads ZooKeeper. */
export async function traceZnode({ step, sender, now }: ZnodeTraced): Promise<Trace> {
  let live: Znode | undefined;
  try {
    live = await read({ step, sender });
  } catch (error) {
    return { kind: 'unreadable', reason: refusal(error as Error, step).because, sent: !wasNotSent(error) };
  }
  if (isDone(live, step)) return { kind: 'written', written: { at: now, how: 'found' } };
  const moved = againstLock(live, step);
  return moved ? { kind: 'overtaken', reason: moved } : { kind: 'unwritten' };
}

const read = ({ step, sender }: Pick<ZnodeTraced, 'step' | 'sender'>): Promise<Znode | undefined> =>
  atZookeeper(sender, znodeOf(step), (znodes) => znodes.read(step.path));

const write = (znodes: Znodes, step: ZnodeStep): Promise<void> =>
  step.kind === 'delete-znode' ? znodes.remove(step.path, step.lock.version) : znodes.create(step.path, Buffer.from(step.data, 'base64'));

/** Whether the node is as the step leaves it: only for a step that may have been sent. */
function isDone(live: Znode | undefined, step: ZnodeStep): boolean {
  if (step.kind === 'delete-znode') return live === undefined;
  return live !== undefined && live.version === 0 && live.ephemeralOwner === '0x0' && live.data.toString('base64') === step.data;
}

/** Why the lock of a step does not hold on the node; undefined: it does. */
function againstLock(live: Znode | undefined, step: ZnodeStep): string | undefined {
  const name = znodeName(znodeOf(step));
  if (step.kind === 'create-znode') return live ? `${name} is there again` : undefined;
  if (!live) return `${name} is gone: somebody else deleted it`;
  const { czxid, version, mtime } = step.lock;
  const its = lockOf(live);
  if (its.czxid !== czxid) return `${name} was deleted and created again after it was read (czxid ${czxid}, now ${its.czxid})`;
  if (its.version === version && its.mtime === mtime) return undefined;
  return `${name} was written after it was read (version ${version}, now ${its.version})`;
}

/** An error as a result. An answer of ZooKeeper and a refusal of the API server are certain; everything else is not. */
function refusal(error: Error, step: ZnodeStep): Extract<Result, { because: string }> {
  const because = `${znodeName(znodeOf(step))}: ${error.message}`;
  const { status } = error as { status?: number };
  if (status === 401 || status === 403) return { kind: 'forbidden', because };
  if (!(error instanceof ZookeeperError)) return { kind: 'unknown', because };
  if (error.code === NO_AUTH) return { kind: 'forbidden', because };
  return { kind: [NO_NODE, BAD_VERSION, NODE_EXISTS].includes(error.code) ? 'conflict' : 'unknown', because };
}
