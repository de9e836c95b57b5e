import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';
import { seedRolledBack } from './strimzi/rolled-back.ts';

/** The pods that kubemend may reach by port-forward here. */
export const PINS = { 'zookeeper-pods': [{ namespace: 'kafka', name: 'my-cluster-zookeeper-0' }] };

/** Strimzi #11262: a migration to KRaft is rolled back, and its `/migration` stays in a real ZooKeeper. */
export const scenario: Scenario = {
  title: 'Strimzi 0.45.0 rolled a KRaft migration back and left /migration in ZooKeeper: the next attempt would delete every topic',
  remediation: 'strimzi/delete-stale-migration-znode',
  kubelet: true,
  pins: PINS,
  // The node does nothing by itself until the next attempt; what can be seen is the rollback's end.
  isSymptom: ({ verb, objectRef }) => verb === 'update' && objectRef?.resource === 'kafkas' && objectRef.subresource === 'status',
  async start({ admin, kubelet, progress }) {
    progress('starting ZooKeeper, and a Kafka of Strimzi 0.45.0 whose migration is being rolled back');
    const world = await seedRolledBack({ admin, kubelet, progress });
    const end = new AbortController();
    // When kubemend has had time to watch.
    const finishing = delay(4_000, undefined, { signal: end.signal }).then(world.finish, () => undefined);
    return {
      async stop() {
        end.abort();
        await finishing;
        await world.stop();
      },
    };
  },
};
