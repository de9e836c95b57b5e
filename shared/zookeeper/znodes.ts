import { createZnode, deleteZnode, readZnode, type Znode, type ZookeeperSession } from './client.ts';

/** What is done with ZooKeeper's tree, whichever way it is reached. Codes of ZooKeeper come as ZookeeperError. */
export interface Znodes {
  /** The node as the leader has it now; undefined only when ZooKeeper says that there is none. */
  read(path: string): Promise<Znode | undefined>;
  /** Deletes the node if its data still has this version. */
  remove(path: string, version: number): Promise<void>;
  /** Creates a lasting node that everybody may change. */
  create(path: string, data: Buffer): Promise<void>;
}

/** Through a session of our own. */
export const overSession = (session: ZookeeperSession): Znodes => ({
  read: (path) => readZnode(session, path),
  remove: (path, version) => deleteZnode(session, path, version),
  create: (path, data) => createZnode(session, path, data),
});
