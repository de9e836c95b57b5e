import { type Execution, type Result, wasNotSent } from './execute.ts';
import { lockOf, type ZnodeStep, znodeName, znodeOf } from './znode-step.ts';
import { BAD_VERSION, NO_AUTH, NO_NODE, NODE_EXISTS, type Znode, ZookeeperError } from './zookeeper/client.ts';
import { atZookeeper } from './zookeeper/reach.ts';
import type { Znodes } from './zookeeper/znodes.ts';

type ZnodeExecution = Execution & { step: ZnodeStep };

/** The part of `execute` that writes to ZooKeeper: one step, at most once, by the same rules. The leader checks the version; here the rest of the lock is compared. */
export async function executeZnode(execution: ZnodeExecution): Promise<Result> {
  const { step, sender, now, repeated, withheld } = execution;
  let asked = false;
  try {
    return await atZookeeper(sender, znodeOf(step), async (znodes): Promise<Result> => {
      const before = judge(await znodes.read(step.path), execution);
      if (before) return before;
      if (withheld) return { kind: 'withheld', because: withheld };
      asked = true;
      await write(znodes, step);
      return { kind: 'written', written: { at: now, how: 'wrote' } };
    });
  } catch (error) {
    const failed = refusal(error as Error, step);
    if (failed.kind !== 'unknown') return failed;
    if (!asked) return { ...failed, kind: repeated ? (wasNotSent(error) ? 'later' : 'unknown') : 'withheld' };
    return (await look({ ...execution, repeated: true }).catch(() => undefined)) ?? failed;
  }
}

/** Reads the node with the lock that the write would have; ZooKeeper has no dry run. */
export async function rehearseZnode(execution: ZnodeExecution): Promise<Result> {
  try {
    return (await look(execution)) ?? { kind: 'written', written: { at: execution.now, how: 'wrote' } };
  } catch (error) {
    return refusal(error as Error, execution.step);
  }
}

const look = (execution: ZnodeExecution): Promise<Result | undefined> =>
  atZookeeper(execution.sender, znodeOf(execution.step), async (znodes) => judge(await znodes.read(execution.step.path), execution));

const write = (znodes: Znodes, step: ZnodeStep): Promise<void> =>
  step.kind === 'delete-znode' ? znodes.remove(step.path, step.lock.version) : znodes.create(step.path, Buffer.from(step.data, 'base64'));

/** What the node says before a write: it is there already, it must not be, or (undefined) it may be. */
function judge(live: Znode | undefined, { step, now, repeated }: ZnodeExecution): Result | undefined {
  const name = znodeName(znodeOf(step));
  const found: Result = { kind: 'written', written: { at: now, how: 'found' } };
  if (step.kind === 'create-znode') {
    if (!live) return undefined;
    const ours = repeated && live.version === 0 && live.ephemeralOwner === '0x0' && live.data.toString('base64') === step.data;
    return ours ? found : { kind: 'conflict', because: `${name} is there again` };
  }
  // Gone is ours only when we may have asked for it.
  if (!live) return repeated ? found : { kind: 'conflict', because: `${name} is gone: somebody else deleted it` };
  const { czxid, version, mtime } = step.lock;
  const its = lockOf(live);
  if (its.czxid !== czxid) {
    const because = `${name} was deleted and created again after it was read (czxid ${czxid}, now ${its.czxid})`;
    return repeated ? { kind: 'unknown', because: `${because}, and the process died while it wrote` } : { kind: 'conflict', because };
  }
  if (its.version === version && its.mtime === mtime) return undefined;
  return { kind: 'conflict', because: `${name} was written after it was read (version ${version}, now ${its.version})` };
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
