import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';
import { CLUSTER, NAMESPACE, PATHS, seedCaCluster, TRUSTED } from './strimzi/ca-cluster.ts';
import { FakeCaOperator } from './strimzi/ca-roll.ts';
import { startKubelet } from './strimzi/kubelet.ts';

const KEY = `${PATHS.secrets}/${CLUSTER}-cluster-ca`;

const named = (...names: string[]) => names.map((name) => ({ namespace: NAMESPACE, name: `${CLUSTER}-${name}` }));

/** Strimzi #10710: the operator dies when it has rolled all pods, and comes back when they are marked, or after three minutes. */
export const scenario: Scenario = {
  title: 'Strimzi 0.43.0 died when every pod trusted the new CA: it will roll all of them again',
  remediation: 'strimzi/resume-ca-roll',
  pins: {
    'kafka-secrets': named('cluster-ca', 'cluster-ca-cert', 'cluster-operator-certs'),
    'kafka-podsets': named('dual'),
    'kafka-pods': named('dual-0', 'dual-1', 'dual-2'),
  },
  // Restarts of all rolls: an audit line does not say which. Roll 1 again would be three more.
  isSymptom: ({ verb, objectRef, userAgent }) =>
    verb === 'delete' && objectRef?.resource === 'pods' && userAgent?.startsWith('strimzi-cluster-operator/') === true,
  async start({ admin, connection, progress }) {
    progress('installing Strimzi 0.43.0 and a Kafka of three pods');
    const identity = await seedCaCluster(admin, connection, '0.43.0');
    const kubelet = startKubelet(admin);
    let rolled = 0;
    const first = new FakeCaOperator({
      ...{ connection: identity, identity: 'operator-a' },
      onRestart(_, point) {
        if (point === 'ready' && ++rolled === 3) first.kill();
      },
    });
    const second = new FakeCaOperator({ connection: identity, identity: 'operator-b' });
    first.start();
    progress('the CA key is replaced in a moment; the operator dies after roll 1');
    const ending = new AbortController();
    const { signal } = ending;
    const wait = (ms: number): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
    const acting = (async () => {
      if (!(await wait(4_000))) return;
      await admin.patch(KEY, 'merge', { metadata: { annotations: { 'strimzi.io/force-replace': 'true' } } });
      const until = Date.now() + 180_000;
      const isMarked = async () => (await admin.list(PATHS.pods)).every(({ metadata }) => metadata.annotations?.[TRUSTED] === '1');
      while ((await wait(500)) && Date.now() < until && !(rolled >= 3 && (await isMarked())));
      if (!signal.aborted) second.start();
    })();
    return {
      async stop() {
        ending.abort();
        await acting;
        await Promise.all([first.stop(), second.stop()]);
        await kubelet.stop();
      },
    };
  },
};
