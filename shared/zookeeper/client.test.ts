import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seedKafkaNodes, setZnode } from '../../test/scenarios/zookeeper/kafka-nodes.ts';
import { startZookeeper, type ZookeeperServer } from '../../test/scenarios/zookeeper/server.ts';
import { createZnode, deleteZnode, readChildren, readZnode, ZookeeperSession } from './client.ts';
import { buffer, int32, int64 } from './wire.ts';

describe('with a real ZooKeeper', () => {
  let server: ZookeeperServer;
  let session: ZookeeperSession;
  beforeAll(async () => {
    server = await startZookeeper();
    session = await server.connect();
    await seedKafkaNodes(session, { offset: 227 });
  }, 120_000);
  afterAll(async () => {
    await session.close();
    await server.stop();
  }, 20_000);

  it('a node is read with its Stat, and an ephemeral one names its session', async () => {
    const migration = await readZnode(session, '/migration');
    expect(JSON.parse(`${migration?.data}`)).toMatchObject({ kraft_metadata_offset: 227 });
    expect(migration).toMatchObject({ version: 0, ephemeralOwner: '0x0', children: 0, czxid: expect.stringMatching(/^0x[0-9a-f]+$/) });
    expect(Math.abs(Date.now() - (migration?.mtime ?? 0))).toBeLessThan(60_000);
    expect((await readZnode(session, '/controller'))?.ephemeralOwner).not.toBe('0x0');
    expect((await readZnode(session, '/brokers/topics'))?.children).toBe(2);
    expect(await readChildren(session, '/brokers/topics')).toEqual(['orders', 'payments']);
  });

  it('only an answer says that a node is absent', async () => {
    expect(await readZnode(session, '/nothing')).toBeUndefined();
    expect(await readChildren(session, '/nothing')).toBeUndefined();
  });

  it('a deletion is refused for another version and for a node that is gone, and a creation for one that is there', async () => {
    await createZnode(session, '/a', Buffer.from('x'));
    await setZnode(session, '/a', 'y');
    await expect(deleteZnode(session, '/a', 0)).rejects.toThrow('ZooKeeper answered delete /a with BadVersion (-103)');
    await expect(createZnode(session, '/a', Buffer.from('z'))).rejects.toThrow('NodeExists (-110)');
    await deleteZnode(session, '/a', 1);
    await expect(deleteZnode(session, '/a', 1)).rejects.toThrow('NoNode (-101)');
  });

  it('a re-created node has another czxid', async () => {
    await createZnode(session, '/b', Buffer.from('x'));
    const first = await readZnode(session, '/b');
    await deleteZnode(session, '/b', 0);
    await createZnode(session, '/b', Buffer.from('x'));
    const second = await readZnode(session, '/b');
    expect(second).toMatchObject({ version: 0, data: Buffer.from('x') });
    expect(second?.czxid).not.toBe(first?.czxid);
  });
});

describe('with something that is no ZooKeeper', () => {
  /** Answers the n-th write of the client with what `answers` gives for n. */
  async function against(
    answers: (n: number, socket: Socket) => Buffer | undefined,
  ): Promise<{ session: Promise<ZookeeperSession>; end: () => void }> {
    const server: Server = createServer((socket) => {
      let n = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        n += 1;
        const answer = answers(n, socket);
        if (answer) socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    return { session: ZookeeperSession.open(connect(port, '127.0.0.1'), 200), end: () => server.close() };
  }
  const welcome = buffer(Buffer.concat([int32(0), int32(10_000), int64(7n), buffer(Buffer.alloc(16)), Buffer.of(0)]));

  it.each<[string, (n: number, socket: Socket) => Buffer | undefined, RegExp]>([
    ['silence', () => undefined, /did not answer the connect request within 0.2 s/],
    ['a web server', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /a frame of \d+ bytes: is this ZooKeeper\?/],
    ['a refused session', () => buffer(Buffer.concat([int32(0), int32(0), int64(0n)])), /refused the session/],
    ['an end', (_, socket) => void socket.end(), /closed the connection/],
  ])('%s instead of a session fails', async (_, answers, message) => {
    const { session, end } = await against(answers);
    await expect(session).rejects.toThrow(message);
    end();
  });

  it('silence after the session was opened fails every call, and those after it', async () => {
    const { session, end } = await against((n) => (n === 1 ? welcome : undefined));
    const open = await session;
    await expect(readZnode(open, '/migration')).rejects.toThrow('ZooKeeper did not answer sync /migration within 0.2 s');
    await expect(readZnode(open, '/migration')).rejects.toThrow('did not answer');
    end();
  });

  it('an answer that is cut off fails, and frames may come in pieces', async () => {
    const reply = (xid: number, body: Buffer) => buffer(Buffer.concat([int32(xid), int64(1n), int32(0), body]));
    const { session, end } = await against((n, socket) => {
      if (n === 1) {
        socket.write(welcome.subarray(0, 3));
        return welcome.subarray(3);
      }
      return reply(n - 1, n === 2 ? Buffer.alloc(0) : int32(50));
    });
    const open = await session;
    await expect(readZnode(open, '/migration')).rejects.toThrow(/past the end|out of range/);
    await open.close();
    end();
  });
});
