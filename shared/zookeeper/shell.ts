import type { Ran } from '../kubernetes/pod-exec.ts';
import { BAD_VERSION, NO_AUTH, NO_NODE, NODE_EXISTS, type Znode, ZookeeperError } from './client.ts';
import type { Znodes } from './znodes.ts';

/** Kafka's tool needs seconds for a JVM, and 36 s to give up on a silent ZooKeeper. Milliseconds. */
export const SHELL_WITHIN = 45_000;

/** A second JVM within the container's memory limit must stay small; dates are printed in its time zone. */
const ENVIRONMENT = ['env', 'TZ=UTC', 'KAFKA_HEAP_OPTS=-Xmx32M'];

/** Exit code 1 says nothing: the line on stderr does (measured with Kafka 3.8 and 3.9). */
const ERRORS: [RegExp, number][] = [
  [/^Node does not exist: /m, NO_NODE],
  [/^version No is not valid : /m, BAD_VERSION],
  [/^Node already exists: /m, NODE_EXISTS],
  [/^Insufficient permission : /m, NO_AUTH],
];

/** Through Kafka's `zookeeper-shell.sh` in the ZooKeeper container: the way where port-forward is forbidden. One command, one JVM. */
export function overShell(port: number, run: (command: string[]) => Promise<Ran>): Znodes {
  const shell = async (...command: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run([...ENVIRONMENT, 'bin/zookeeper-shell.sh', `localhost:${port}`, ...command]);
    if (code === 0) return stdout;
    const what = command.join(' ');
    const known = ERRORS.find(([line]) => line.test(stderr));
    if (known) throw new ZookeeperError(what, known[1]);
    throw new Error(`zookeeper-shell.sh ended ${what} with exit code ${code}: ${lastLine(stderr)}`);
  };
  return {
    async read(path) {
      await shell('sync', path);
      try {
        return readStat(await shell('get', '-s', path), path);
      } catch (error) {
        if (error instanceof ZookeeperError && error.code === NO_NODE) return undefined;
        throw error;
      }
    },
    async remove(path, version) {
      await shell('delete', '-v', `${version}`, path);
    },
    async create(path, data) {
      if (!Buffer.from(data.toString('utf8')).equals(data)) throw new Error(`the data of ${path} is no text: the shell cannot write it`);
      await shell('create', path, data.toString('utf8'));
    },
  };
}

const STAT = [
  ...['cZxid', 'ctime', 'mZxid', 'mtime', 'pZxid', 'cversion', 'dataVersion'],
  ...['aclVersion', 'ephemeralOwner', 'dataLength', 'numChildren'],
];

/** Another thread prints these when the session opens: before, between or after the other lines. */
const WATCHER = /\n(WATCHER::|WatchedEvent state:SyncConnected type:None path:null)\n/g;

/** What `get -s` prints: one line of greeting, the data, and eleven lines of Stat. Times are to the second. */
function readStat(stdout: string, path: string): Znode {
  const form = new RegExp(`^Connecting to .*\\n(?<data>[^]*)\\n${STAT.map((name) => `${name} = (?<${name}>.+)`).join('\\n')}\\s*$`);
  const { data = '', ...stat } = form.exec(stdout.replace(WATCHER, ''))?.groups ?? {};
  const bytes = stat.dataLength === '0' ? Buffer.alloc(0) : Buffer.from(data);
  const [ctime, mtime] = [Date.parse(stat.ctime ?? ''), Date.parse(stat.mtime ?? '')];
  const numbers = [ctime, mtime, Number(stat.dataVersion), Number(stat.numChildren)];
  if (bytes.length !== Number(stat.dataLength) || numbers.some(Number.isNaN)) {
    throw new Error(`what zookeeper-shell.sh printed of ${path} cannot be read: ${lastLine(stdout)}`);
  }
  return {
    ...{ data: bytes, czxid: stat.cZxid ?? '', version: Number(stat.dataVersion), ctime, mtime },
    ...{ ephemeralOwner: stat.ephemeralOwner ?? '', children: Number(stat.numChildren) },
  };
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) || 'it printed nothing';
