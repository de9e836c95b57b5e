import type { Envelope } from '../../events/fact.ts';
import { busContract } from './contract.ts';
import { LocalBus } from './local.ts';

busContract('LocalBus', async () => {
  const bus = new LocalBus(() => undefined);
  return {
    bus,
    async rule(pattern) {
      const received: Omit<Envelope, 'id'>[] = [];
      bus.subscribe(pattern, async ({ id: _, ...event }) => void received.push(event));
      return async () => received;
    },
    close: async () => undefined,
  };
});
