import type { Request } from '../../shared/kubernetes/transport.ts';
import type { Sender } from '../../shared/sender.ts';

const isWrite = ({ method, path }: Request): boolean => method === 'PATCH' && !path.includes('dryRun');

/** A way to the cluster for two runs at once, as unlucky as can be: who comes to write first waits until the other comes too or has `ended`, and hears the answer after it. */
export function racingSender(sender: Pick<Sender, 'send'>, ended: Promise<void>): Sender {
  const both = Promise.withResolvers<void>();
  let writers = 0;
  return {
    async send(request) {
      if (!isWrite(request)) return sender.send(request);
      writers += 1;
      const first = writers === 1;
      if (!first) both.resolve();
      await Promise.race([both.promise, ended]);
      const answer = await sender.send(request);
      if (first) await ended;
      return answer;
    },
  };
}
