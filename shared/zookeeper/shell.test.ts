import { describe, expect, it } from '@jest/globals';
import { overShell } from './shell.ts';

const EVENT = '\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n';
const BANNER = `Connecting to localhost:12181\n${EVENT}`;
const END = '[2026-11-21 02:00:00,000] ERROR Exiting JVM with code 1 (org.apache.zookeeper.util.ServiceUtils)\n';
const STAT = {
  cZxid: '0x2a',
  ctime: 'Sat Nov 21 02:27:25 UTC 2026',
  mZxid: '0x2b',
  mtime: 'Sat Nov 21 02:27:58 UTC 2026',
  pZxid: '0x2a',
  cversion: '0',
  dataVersion: '3',
  aclVersion: '0',
  ephemeralOwner: '0x0',
  dataLength: '8',
  numChildren: '0',
};

const printed = (data: string, stat: Partial<typeof STAT> = {}): string =>
  `${BANNER}${data}\n${Object.entries({ ...STAT, ...stat })
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`;

/** A shell whose `sync` succeeds and whose every other command ends like this. */
function shell(code: number, stdout: string, stderr = '') {
  const commands: string[] = [];
  const znodes = overShell(12181, async (command) => {
    commands.push(command.join(' '));
    return command.includes('sync') ? { code: 0, stdout: `${BANNER}Sync is OK\n`, stderr: '' } : { code, stdout, stderr };
  });
  return { znodes, commands };
}

describe('zookeeper-shell.sh, as it prints (Kafka 3.8 and 3.9)', () => {
  it('reads a node after a sync, each in a small JVM of its own', async () => {
    const { znodes, commands } = shell(0, printed('{"a": 1}'));
    expect(await znodes.read('/migration')).toEqual({
      ...{ data: Buffer.from('{"a": 1}'), czxid: '0x2a', version: 3, ephemeralOwner: '0x0', children: 0 },
      ...{ ctime: Date.parse('2026-11-21T02:27:25Z'), mtime: Date.parse('2026-11-21T02:27:58Z') },
    });
    const start = 'env TZ=UTC KAFKA_HEAP_OPTS=-Xmx32M bin/zookeeper-shell.sh localhost:12181';
    expect(commands).toEqual([`${start} sync /migration`, `${start} get -s /migration`]);
  });

  it.each([
    ['null, when there is no data', printed('null', { dataLength: '0' }), ''],
    ['several lines', printed('a\ncZxid = b', { dataLength: '11' }), 'a\ncZxid = b'],
    ['more bytes than characters', printed('é', { dataLength: '2' }), 'é'],
  ])('reads data that is %s', async (_, stdout, data) => {
    expect(`${(await shell(0, stdout).znodes.read('/x'))?.data}`).toBe(data);
  });

  it.each([
    ['between data and Stat', (text: string) => text.replace('}\ncZxid', `}\n${EVENT}cZxid`)],
    ['between two lines of Stat', (text: string) => text.replace('\nmtime', `\n${EVENT}mtime`)],
    ['at the end', (text: string) => text + EVENT],
  ])('reads it also when the event of the session comes %s', async (_, late) => {
    const stdout = late(printed('{"a": 1}').replace(EVENT, ''));
    expect(await shell(0, stdout).znodes.read('/x')).toMatchObject({ data: Buffer.from('{"a": 1}'), version: 3, children: 0 });
  });

  it('says that a node is absent only from the exact line', async () => {
    expect(await shell(1, BANNER, `Node does not exist: /migration\n${END}`).znodes.read('/migration')).toBeUndefined();
  });

  it.each([
    ['data whose bytes were changed by printing', shell(0, printed('{"a": 1}', { dataLength: '9' })), /cannot be read/],
    ['a time zone it does not know', shell(0, printed('{"a": 1}', { mtime: 'Sat Nov 21 02:27:58 XYZT 2026' })), /cannot be read/],
    ['nothing', shell(0, ''), /cannot be read: it printed nothing/],
    [
      'a closed port',
      shell(1, '', `WARN x\nKeeperErrorCode = ConnectionLoss for /migration\n`),
      /exit code 1: KeeperErrorCode = ConnectionLoss/,
    ],
    ['an exit code without a word', shell(127, ''), /exit code 127: it printed nothing/],
    ['a lack of rights', shell(1, '', `Insufficient permission : /migration\n${END}`), /NoAuth/],
  ])('takes %s for an error, never for an answer', async (_, { znodes }, because) => {
    await expect(znodes.read('/migration')).rejects.toThrow(because);
  });

  it.each([
    ['version No is not valid : /migration', -103],
    ['Node does not exist: /migration', -101],
  ])('a delete that was refused with "%s" has its code', async (line, code) => {
    await expect(shell(1, BANNER, `${line}\n${END}`).znodes.remove('/migration', 3)).rejects.toMatchObject({ code });
  });

  it('creates text as one word, and refuses what is no text', async () => {
    const { znodes, commands } = shell(0, BANNER);
    await znodes.create('/migration', Buffer.from('{"a": 1}'));
    expect(commands).toEqual([expect.stringMatching(/create \/migration \{"a": 1\}$/)]);
    await expect(znodes.create('/migration', Buffer.of(0xff, 0))).rejects.toThrow('is no text');
  });
});
