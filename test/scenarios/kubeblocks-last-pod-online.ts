import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from '../control-plane/admin.ts';
import { installKubeBlocks, kafkaCluster, type Paths, pathsOf, scaleBroker } from './kubeblocks/cluster.ts';
import { FakeKubeBlocks } from './kubeblocks/controller.ts';
import type { Scenario } from './scenario.ts';

const NAMESPACE = 'demo';

/** KubeBlocks #9000: the broker with the highest ordinal was taken offline, and is asked back. */
export const scenario: Scenario = {
  title: 'KubeBlocks 1.0.0 was asked to bring the last Kafka broker back online: it waits for a pod that nobody will create',
  remediation: 'kubeblocks/unstick-opsrequest',
  isSymptom: ({ verb, objectRef }) => verb === 'patch' && objectRef?.resource === 'opsrequests' && objectRef.subresource === 'status',
  async start({ admin, connection, progress }) {
    progress('installing KubeBlocks 1.0.0 and a Kafka cluster of three brokers');
    const paths = pathsOf('1.0.0', NAMESPACE);
    const controller = new FakeKubeBlocks({
      connection: await installKubeBlocks(admin, connection, '1.0.0', NAMESPACE),
      namespace: NAMESPACE,
    });
    controller.start();
    await takeLastBrokerOffline(admin, paths);
    progress('kafka-broker-2 is offline, and is asked back in a moment');
    const person = new AbortController();
    const asking = askForIt(admin, paths, person.signal);
    return {
      async stop() {
        person.abort();
        await asking;
        await controller.stop();
      },
    };
  },
};

/** Creates the Cluster and takes its last broker offline, through an operation, as a person does. */
export async function takeLastBrokerOffline(admin: Admin, paths: Paths, componentDef?: string): Promise<void> {
  await admin.create(paths.clusters, kafkaCluster(paths, componentDef));
  await admin.until(`${paths.clusters}/kafka`, ({ status }) => status?.phase === 'Running');
  await admin.create(paths.ops, scaleBroker(paths, 'offline-broker-2', { scaleIn: { onlineInstancesToOffline: ['kafka-broker-2'] } }));
  await admin.until(`${paths.ops}/offline-broker-2`, ({ status }) => status?.phase === 'Succeed');
  await admin.until(
    `${paths.clusters}/kafka`,
    ({ status, metadata }) => status?.phase === 'Running' && status.observedGeneration === metadata.generation,
  );
}

/** Asks for the broker when kubemend has had time to watch, then touches the request now and then: a stuck operation says nothing by itself. */
async function askForIt(admin: Admin, paths: Paths, signal: AbortSignal): Promise<void> {
  const wait = (ms: number): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
  if (!(await wait(4_000))) return;
  await admin.create(paths.ops, scaleBroker(paths, 'online-broker-2', { scaleOut: { offlineInstancesToOnline: ['kafka-broker-2'] } }));
  while (await wait(15_000)) {
    const annotations = { 'kubeblocks.io/reconcile': new Date().toISOString() };
    await admin.patch(`${paths.ops}/online-broker-2`, 'merge', { metadata: { annotations } }).catch(() => undefined);
  }
}
