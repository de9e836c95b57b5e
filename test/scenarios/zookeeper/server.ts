import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ZookeeperSession } from '../../../shared/zookeeper/client.ts';
import { Daemon } from '../../control-plane/daemon.ts';
import { freePort } from '../../control-plane/port.ts';
import { startWatchdog } from '../../control-plane/watchdog.ts';
import { findZookeeper } from './jars.ts';

/** A real ZooKeeper of one server, configured as Strimzi does (`skipACL`), on loopback. */
export interface ZookeeperServer {
  /** `127.0.0.1:4242` */
  address: string;
  pid: number;
  /** A session over TCP; without `within` an answer may take 5 s. */
  connect(within?: number): Promise<ZookeeperSession>;
  /** Makes `bin/zookeeper-shell.sh` of Kafka's image in this directory: it starts the same Java program, whatever port is asked for, against this server. */
  installShell(container: string): Promise<void>;
  stop(): Promise<void>;
}

const LOGBACK = `<configuration><appender name="file" class="ch.qos.logback.core.ConsoleAppender"><target>System.err</target><encoder><pattern>%d %p %c %m%n</pattern></encoder></appender><root level="WARN"><appender-ref ref="file"/></root></configuration>`;

/** Starts it on a free port, with data of its own; resolves when it opens sessions. Needs `java`. */
export async function startZookeeper(progress: (line: string) => void = () => {}): Promise<ZookeeperServer> {
  const classPath = await findZookeeper(progress);
  const directory = await mkdtemp(join(tmpdir(), 'kubemend-zookeeper-'));
  const port = await freePort();
  const settings = [
    `dataDir=${directory}`,
    'clientPortAddress=127.0.0.1',
    `clientPort=${port}`,
    'tickTime=2000',
    'admin.enableServer=false',
  ];
  await writeFile(join(directory, 'zoo.cfg'), `${settings.join('\n')}\n`);
  await writeFile(join(directory, 'logback.xml'), LOGBACK);
  const flags = ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-Dzookeeper.skipACL=yes', '-Dzookeeper.jmx.log4j.disable=true'];
  const logging = `-Dlogback.configurationFile=${join(directory, 'logback.xml')}`;
  const args = [...flags, logging, '-cp', classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', join(directory, 'zoo.cfg')];
  const watchdog = startWatchdog(directory);
  const daemon = new Daemon('zookeeper', 'java', args, directory, join(directory, 'zookeeper.log'));
  watchdog.watch(daemon.pid);
  const stop = async () => {
    await daemon.stop();
    watchdog.release();
    await rm(directory, { recursive: true, force: true });
  };
  const open = (within = 5_000) => ZookeeperSession.open(connect(port, '127.0.0.1'), within, 30_000);
  try {
    for (const deadline = Date.now() + 30_000; ; await delay(50)) {
      const session = await open().catch(() => undefined);
      await session?.close();
      if (session) break;
      if (daemon.ended || Date.now() > deadline) throw new Error(`ZooKeeper did not start. The end of its log:\n${daemon.tail()}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const installShell = async (container: string) => {
    const java = `java -Xmx32m -XX:TieredStopAtLevel=1 ${logging} -cp '${classPath}' org.apache.zookeeper.ZooKeeperMain`;
    await mkdir(join(container, 'bin'), { recursive: true });
    await writeFile(join(container, 'bin/zookeeper-shell.sh'), `#!/bin/sh\nshift\nexec ${java} -server 127.0.0.1:${port} "$@"\n`, {
      mode: 0o755,
    });
  };
  return { address: `127.0.0.1:${port}`, pid: daemon.pid, connect: open, installShell, stop };
}
