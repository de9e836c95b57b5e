import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DirectoryArtifacts } from './directory.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
let root: string;
let artifacts: DirectoryArtifacts;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'artifacts-'));
  mkdirSync(join(root, 'shipped/strimzi'), { recursive: true });
  ship('strimzi/0.43.0', 'shipped text');
  artifacts = open();
});
afterEach(() => rmSync(root, { recursive: true }));

const open = () => new DirectoryArtifacts({ directory: join(root, 'own'), shipped: join(root, 'shipped') });
const ownFiles = () => readdirSync(join(root, 'own/strimzi')).sort();

function ship(name: string, text: string, pinned = sha256(text)): void {
  writeFileSync(join(root, 'shipped', `${name}.yaml.gz`), gzipSync(text));
  writeFileSync(join(root, 'shipped/index.json'), JSON.stringify({ [name]: { sha256: pinned, source: 'the release' } }));
}

describe('DirectoryArtifacts', () => {
  it('finds a shipped artifact, with its hash and source', async () => {
    expect(await artifacts.get('strimzi/0.43.0', sha256('shipped text'))).toBe('shipped text');
    expect(await artifacts.describe('strimzi/0.43.0')).toEqual({ sha256: sha256('shipped text'), source: 'the release' });
  });

  it('prefers the user’s own, also after a restart', async () => {
    expect(await artifacts.put('strimzi/0.43.0', 'own text')).toEqual({ sha256: sha256('own text') });
    expect(await open().get('strimzi/0.43.0')).toBe('own text');
    expect(await artifacts.describe('strimzi/0.43.0')).toEqual({ sha256: sha256('own text') });
    expect(readdirSync(join(root, 'shipped/strimzi'))).toEqual(['0.43.0.yaml.gz']);
  });

  it('lists both by prefix, versions in their order', async () => {
    for (const name of ['strimzi/0.100.0', 'strimzi/0.9.0', 'backups/inc-1']) await artifacts.put(name, 'x');
    expect(await artifacts.list('strimzi/')).toEqual(['strimzi/0.9.0', 'strimzi/0.43.0', 'strimzi/0.100.0']);
    expect(await artifacts.list('')).toContain('backups/inc-1');
    expect(await new DirectoryArtifacts({ directory: join(root, 'nothing') }).list('')).toEqual([]);
  });

  it('replaces a text', async () => {
    for (const text of ['first', 'second', 'second']) await artifacts.put('strimzi/1.2.0', text);
    expect(await artifacts.get('strimzi/1.2.0')).toBe('second');
    await artifacts.put('strimzi/1.2.0', 'first');
    expect(await open().get('strimzi/1.2.0', sha256('first'))).toBe('first');
  });

  it('leaves no temporary file behind', async () => {
    await artifacts.put('strimzi/1.2.0', 'first');
    expect(ownFiles()).toEqual([`1.2.0.${sha256('first').slice(0, 16)}.yaml.gz`, '1.2.0.json']);
  });

  it('says what to run for an unknown name', async () => {
    expect(await artifacts.describe('strimzi/0.45.2')).toBeUndefined();
    await expect(artifacts.get('strimzi/0.45.2')).rejects.toThrow('Run "kubemend crds add strimzi 0.45.2 --from FILE"');
    await expect(artifacts.get('constructor')).rejects.toThrow('No artifact constructor is pinned');
  });

  it('refuses another hash than the pinned one', async () => {
    await expect(artifacts.get('strimzi/0.43.0', sha256('other'))).rejects.toThrow(`${sha256('other')} was asked for`);
  });

  it('refuses a shipped file that is not what the index pins', async () => {
    ship('strimzi/0.43.0', 'tampered', sha256('shipped text'));
    await expect(artifacts.get('strimzi/0.43.0')).rejects.toThrow('Artifact strimzi/0.43.0 was changed');
  });

  it('refuses a tampered own file instead of falling back to the shipped one', async () => {
    await artifacts.put('strimzi/0.43.0', 'own text');
    const [file] = ownFiles();
    writeFileSync(join(root, 'own/strimzi', file ?? ''), gzipSync('tampered'));
    await expect(artifacts.get('strimzi/0.43.0')).rejects.toThrow(/was changed: .* Delete .*0\.43\.0\.json to forget it/);
  });

  it.each([
    ['missing', (file: string) => rmSync(file)],
    ['cut short', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 12))],
  ])('says so when the file is %s', async (_, damage) => {
    damage(join(root, 'shipped/strimzi/0.43.0.yaml.gz'));
    await expect(artifacts.get('strimzi/0.43.0')).rejects.toThrow('Artifact strimzi/0.43.0 cannot be read from');
  });

  it('names the record that is broken', async () => {
    writeFileSync(join(root, 'shipped/index.json'), '{"strimzi/0.43.0": {"sha256": "short"}}');
    await expect(artifacts.get('strimzi/0.43.0')).rejects.toThrow('index.json does not pin artifacts as it should');
  });

  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/', '', '.', 'a/.hidden', 'a\\b', 'a\0b', 'x'.repeat(201)])(
    'refuses the name %j everywhere',
    async (name) => {
      for (const attempt of [artifacts.get(name), artifacts.put(name, 'x'), artifacts.describe(name)]) {
        await expect(attempt).rejects.toThrow('cannot name an artifact');
      }
    },
  );

  it('a crash between the text and its pin leaves what was there', async () => {
    await artifacts.put('strimzi/1.2.0', 'first');
    writeFileSync(join(root, 'own/strimzi', `1.2.0.${sha256('second').slice(0, 16)}.yaml.gz`), gzipSync('second'));
    writeFileSync(join(root, 'own/strimzi/1.2.0.json.4f1c.tmp'), '{"sha2');
    expect(await open().get('strimzi/1.2.0')).toBe('first');
    expect(await open().list('strimzi/1')).toEqual(['strimzi/1.2.0']);
  });

  it('two writers at once lose nothing', async () => {
    const names = Array.from({ length: 20 }, (_, number) => `backups/incident-${number}`);
    const other = open();
    await Promise.all(names.map((name, number) => (number % 2 ? artifacts : other).put(name, name)));
    expect(await artifacts.list('backups/')).toEqual(names);
    expect(await Promise.all(names.map((name) => other.get(name)))).toEqual(names);
  });
});
