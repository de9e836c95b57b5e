import { createZnode, deleteZnode, readZnode, type ZookeeperSession } from '../../../shared/zookeeper/client.ts';
import { buffer, int32, text } from '../../../shared/zookeeper/wire.ts';

const CREATE = 1;
const SET_DATA = 5;
const EPHEMERAL = 1;

/** Writes a node's data, whatever its version. */
export const setZnode = async (session: ZookeeperSession, path: string, data: string): Promise<void> => {
  await session.call(SET_DATA, [text(path), buffer(Buffer.from(data)), int32(-1)], `set ${path}`);
};

/** Creates a node that lives as long as the session. */
export const createEphemeral = async (session: ZookeeperSession, path: string, data: string): Promise<void> => {
  const everybody = [int32(1), int32(31), text('world'), text('anyone')];
  await session.call(CREATE, [text(path), buffer(Buffer.from(data)), ...everybody, int32(EPHEMERAL)], `create ${path}`);
};

/** What a KRaft controller keeps in `/migration`, with the key order of Kafka 3.9. */
export const migration = (offset: number, epoch = 1): string =>
  JSON.stringify({
    version: 0,
    kraft_metadata_offset: offset,
    kraft_controller_id: offset < 0 ? -1 : 3,
    kraft_metadata_epoch: offset < 0 ? -1 : epoch,
    kraft_controller_epoch: offset < 0 ? -1 : epoch,
  });

/** `/controller` of a broker in ZooKeeper mode. */
export const BROKER_CONTROLLER = JSON.stringify({ version: 2, brokerid: 0, timestamp: '1710691902625', kraftControllerEpoch: -1 });
/** `/controller` of a KRaft controller; it outlives the session. */
export const KRAFT_CONTROLLER = JSON.stringify({ version: 2, brokerid: 3, timestamp: '1710691902625', kraftControllerEpoch: 1 });

/** A Kafka of one broker in ZooKeeper mode with two topics, and `/migration` as it was left (absent without `offset`). The session is the broker. */
export async function seedKafkaNodes(broker: ZookeeperSession, { offset }: { offset?: number | undefined }): Promise<void> {
  for (const path of ['/brokers', '/brokers/ids', '/brokers/topics', '/brokers/topics/orders', '/brokers/topics/payments'])
    await createZnode(broker, path, Buffer.alloc(0));
  await createZnode(broker, '/controller_epoch', Buffer.from('2'));
  await createEphemeral(broker, '/brokers/ids/0', '{"version":5,"host":"my-cluster-kafka-0","port":9091}');
  await createEphemeral(broker, '/controller', BROKER_CONTROLLER);
  if (offset !== undefined) await createZnode(broker, '/migration', Buffer.from(migration(offset)));
}

/** Another attempt's `/migration`: deleted, created again, and written until it has the version it had. */
export async function recreateWithSameVersion(session: ZookeeperSession, offset: number): Promise<void> {
  const before = await readZnode(session, '/migration');
  await deleteZnode(session, '/migration', -1);
  await createZnode(session, '/migration', Buffer.from(migration(offset)));
  for (let version = 0; version < (before?.version ?? 0); version += 1) await setZnode(session, '/migration', migration(offset));
}
