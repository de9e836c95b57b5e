import { LiveCluster } from '../shared/kubernetes/live-cluster.ts';
import type { Answer, Request } from '../shared/kubernetes/transport.ts';
import type { Toy } from './toy-remediation.ts';
import { ToyWorld } from './toy-world.ts';

/** A DELETE carries its dry run in the body. */
export const isWrite = ({ method, path, body }: Request): boolean =>
  method !== 'GET' && !path.includes('dryRun') && (body as { dryRun?: unknown } | undefined)?.dryRun === undefined;

/** A world in which the first write hangs: process A has sent it, and process B does everything from then on. */
export async function hung(toy: Toy = {}) {
  const world = new ToyWorld(toy);
  await world.mode('auto');
  let commit: (() => Promise<Answer>) | undefined;
  let answer: (answer: Answer) => void = () => undefined;
  const sender = {
    send: (request: Request): Promise<Answer> => {
      if (!isWrite(request) || commit) return world.cluster.send(request);
      commit = () => world.cluster.send(request);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  const a = world.newEngine({ access: (name) => ({ examine: () => new LiveCluster(name, world.cluster, world.artifacts), sender }) });
  world.schedule.abandon();
  // As from a queue: an invocation that hangs holds up no other.
  world.schedule.start(async (due) => void a.due(due));
  await a.fact(world.remediation.name, world.changed());
  for (let second = 0; second < 60 && !commit; second += 1) {
    await world.run(1_000);
    await new Promise(setImmediate);
  }
  world.schedule.abandon();
  world.schedule.start((due) => world.engine.due(due));
  if (!commit) throw new Error('Nothing was written');
  const target = 'target/example.com/widgets/toy/shop/a';
  return {
    world,
    commit,
    /** The answer reaches process A. */
    answer: async (given: Answer) => {
      answer(given);
      await new Promise(setImmediate);
      await a.idle();
    },
    isLeased: async () => !(await world.state.lease(target, 'another incident', world.clock.now() + 1, world.clock.now())),
  };
}
