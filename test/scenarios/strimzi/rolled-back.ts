import { join } from 'node:path';
import { readZnode, type ZookeeperSession } from '../../../shared/zookeeper/client.ts';
import type { Admin, Draft } from '../../control-plane/admin.ts';
import type { Kubelet } from '../../control-plane/kubelet.ts';
import { seedKafkaNodes } from '../zookeeper/kafka-nodes.ts';
import { startZookeeper, type ZookeeperServer } from '../zookeeper/server.ts';
import { ensure, parseCrds, readCrds, seedOperator } from './cluster.ts';

const NAMESPACE = 'kafka';
const NAME = 'my-cluster';
const OPERATOR = '0.45.0';
const KAFKA = `/apis/kafka.strimzi.io/v1beta2/namespaces/${NAMESPACE}/kafkas/${NAME}`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

export interface RollbackOptions {
  admin: Admin;
  kubelet: Kubelet | undefined;
  progress?: (line: string) => void;
  /** In `/migration`; null: there is none. 227 when absent. */
  offset?: number | null;
}

/** A Kafka whose rollback from KRaft is one status write before its end, on a real ZooKeeper. */
export interface RolledBack {
  zookeeper: ZookeeperServer;
  /** The broker's session; a test writes through it too. */
  broker: ZookeeperSession;
  /** The operator's last write: the Kafka is in ZooKeeper mode again. */
  finish(): Promise<void>;
  /** A pod of the abandoned controllers. */
  addController(): Promise<void>;
  /** Puts Kafka's `bin/zookeeper-shell.sh` into the ZooKeeper pod: the same Java program as in the image. */
  installShell(): Promise<void>;
  stop(): Promise<void>;
}

/** Strimzi 0.45.0 with a Kafka in ZooKeeper mode, whose migration was rolled back with `/migration` left in ZooKeeper. */
export async function seedRolledBack({ admin, kubelet, progress, offset = 227 }: RollbackOptions): Promise<RolledBack> {
  if (!kubelet) throw new Error('This scenario reaches into pods: start its control plane with `kubelet: true`');
  const zookeeper = await startZookeeper(progress);
  const broker = await zookeeper.connect();
  await seedKafkaNodes(broker, { offset: offset ?? undefined });
  // Any request keeps a session alive; without it /controller would be gone after 30 s.
  const heart = setInterval(() => void readZnode(broker, '/controller_epoch').catch(() => undefined), 5_000);
  await seedKubernetes(admin, kubelet.node);
  await kubelet.listen(NAMESPACE, `${NAME}-zookeeper-0`, 12181, zookeeper.address);
  return {
    ...{ zookeeper, broker },
    async finish() {
      const kafka = await admin.get(KAFKA);
      await admin.replace(`${KAFKA}/status`, { ...kafka, status: { ...kafka.status, kafkaMetadataState: 'ZooKeeper' } });
    },
    addController: () => createPod(admin, kubelet.node, 'controller', 3, { 'strimzi.io/controller-role': 'true' }),
    installShell: () => zookeeper.installShell(join(kubelet.root, NAMESPACE, `${NAME}-zookeeper-0`, 'zookeeper')),
    async stop() {
      clearInterval(heart);
      await broker.close();
      await zookeeper.stop();
    },
  };
}

async function seedKubernetes(admin: Admin, node: string): Promise<void> {
  await Promise.all(parseCrds(await readCrds(OPERATOR)).map((crd) => admin.createCrd(crd)));
  await seedOperator(admin, 'strimzi', OPERATOR, new Date(Date.now() - 3_600_000));
  await ensure(admin, '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  const storage = { type: 'persistent-claim', size: '10Gi', deleteClaim: false };
  const kafka = await admin.create(KAFKA.slice(0, KAFKA.lastIndexOf('/')), {
    apiVersion: 'kafka.strimzi.io/v1beta2',
    kind: 'Kafka',
    metadata: { name: NAME, annotations: { 'strimzi.io/kraft': 'disabled', 'strimzi.io/node-pools': 'enabled' } },
    spec: {
      kafka: { version: '3.9.0', replicas: 1, storage, listeners: [{ name: 'plain', port: 9092, type: 'internal', tls: false }] },
      zookeeper: { replicas: 1, storage },
    },
  });
  const condition = { type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() };
  const status = { observedGeneration: 1, kafkaMetadataState: 'KRaftDualWriting', operatorLastSuccessfulVersion: OPERATOR };
  await admin.replace(`${KAFKA}/status`, { ...kafka, status: { ...status, conditions: [condition] } });
  await createPod(admin, node, 'zookeeper', 0);
  await createPod(admin, node, 'kafka', 0, { 'strimzi.io/broker-role': 'true' });
  await admin.create(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`, {
    metadata: { name: `data-0-${NAME}-controller-3`, labels: labelsOf('controller', {}) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
  });
}

const labelsOf = (pool: string, more: Record<string, string>): Record<string, string> => ({
  'strimzi.io/cluster': NAME,
  'strimzi.io/pool-name': pool,
  'strimzi.io/name': `${NAME}-${pool === 'zookeeper' ? 'zookeeper' : 'kafka'}`,
  ...more,
});

async function createPod(admin: Admin, node: string, pool: string, id: number, more: Record<string, string> = {}): Promise<void> {
  const name = `${NAME}-${pool}-${id}`;
  const pod: Draft = {
    metadata: { name, labels: labelsOf(pool, more) },
    spec: { nodeName: node, containers: [{ name: pool, image: `quay.io/strimzi/kafka:${OPERATOR}-kafka-3.9.0` }] },
  };
  await admin.create(PODS, pod);
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await admin.patch(`${PODS}/${name}/status`, 'merge', { status });
}
