import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openStorage } from '../events/exporter/storage.ts';
import { openPrivateFile, privateDirectoryOf, privateFile, writePrivateFile } from '../events/private-files.ts';
import { Recording } from '../infra/local/recording.ts';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import { openDatabase } from '../shared/state/sqlite.ts';

let root: string;
let mask: number;
beforeEach(() => {
  mask = process.umask(0);
  root = mkdtempSync(join(tmpdir(), 'private-'));
});
afterEach(() => {
  process.umask(mask);
  rmSync(root, { recursive: true });
});

/** `0700 artifacts`: everything below a folder. */
const modes = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(folder)
    .map(
      (path) =>
        `${(statSync(path).mode & 0o777).toString(8)} ${statSync(path).isDirectory() ? 'directory' : 'file'} ${relative(root, path)}`,
    )
    .sort();
const loose = (folder: string): string[] => modes(folder).filter((line) => !/^(700 directory|600 file)/.test(line));

/** Makes a file and its folders as an old kubemend, or a person, may have left them. */
function left(...path: string[]): void {
  const file = join(root, ...path);
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o777 });
  writeFileSync(file, '', { mode: 0o666 });
}

/** Everything that a run and an exporter keep. */
async function keep(state: string): Promise<void> {
  openDatabase(join(state, 'kubemend.sqlite')).exec("INSERT OR REPLACE INTO settings VALUES ('a', 'b')");
  await new DirectoryArtifacts({ directory: join(state, 'artifacts') }).put('backups/strimzi/1', 'password: seed');
  const recording = await Recording.start(state, [], { now: Date.now, onProblem: () => undefined });
  recording.audit({ stage: 'ResponseComplete' });
  const storage = await openStorage({
    ...{ directory: join(state, 'exporter'), keep: 60_000, now: Date.now },
    ...{ onProblem: () => undefined, onForgotten: () => undefined },
  });
  await storage.saveAlive({} as never);
  await storage.deadLetters.add({ id: 'f' } as never, 'why');
}

it('Everything that a run keeps can be read by its owner only, whatever the umask is', async () => {
  await keep(join(root, 'state'));
  expect(modes(join(root, 'state')).length).toBeGreaterThan(12);
  expect(loose(join(root, 'state'))).toEqual([]);
});

it('What was there before with other modes is restricted', async () => {
  for (const name of ['kubemend.sqlite', 'kubemend.sqlite-wal', 'kubemend.sqlite-shm']) left('state', name);
  left('state', 'artifacts', 'backups', 'old', '1.0123.yaml.gz');
  left('state', 'artifacts', 'backups', 'strimzi', '1.json');
  writeFileSync(join(root, 'state/artifacts/backups/strimzi/1.json'), `{"sha256":"${'0'.repeat(64)}"}`);
  left('state', 'recording', 'now.ndjson');
  left('state', 'exporter', 'checkpoints', 'exporter.json.tmp');
  left('state', 'exporter', 'segments', '0000000001.spool');
  left('state', 'exporter', 'dead-letters.ndjson');
  chmodSync(join(root, 'state'), 0o755);
  await keep(join(root, 'state'));
  expect(loose(join(root, 'state'))).toEqual([]);
});

it('A folder that holds files of others stays open to them', () => {
  left('home', 'notes.txt');
  privateDirectoryOf(join(root, 'home'), /^kubemend/);
  expect(modes(join(root, 'home'))).toEqual(['666 file home/notes.txt', '777 directory home']);
});

it('Restricting a database keeps the locks that this process has on it', () => {
  const path = join(root, 'state', 'kubemend.sqlite');
  const database = openDatabase(path);
  database.exec('BEGIN IMMEDIATE');
  for (const end of ['', '-wal', '-shm']) privateFile(path + end);
  const other = `import { DatabaseSync } from 'node:sqlite'; new DatabaseSync(process.argv[1]).exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE')`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', other, path], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('database is locked') });
  database.close();
});

it('A file is restricted before anything is written into it', async () => {
  left('a');
  left('b');
  writePrivateFile(join(root, 'a'), 'one\n');
  writePrivateFile(join(root, 'a'), 'two\n', 'a');
  expect(readFileSync(join(root, 'a'), 'utf8')).toBe('one\ntwo\n');
  const file = await openPrivateFile(join(root, 'b'), 'w');
  expect((await file.stat()).mode & 0o777).toBe(0o600);
  await file.close();
  expect(loose(root)).toEqual([]);
});
