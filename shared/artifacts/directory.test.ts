import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { artifactsContract } from './contract.ts';
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

artifactsContract('DirectoryArtifacts', async () => ({
  open,
  tamper: async () => writeFileSync(join(root, 'own/strimzi', ownFiles()[0] ?? ''), gzipSync('tampered')),
  replaceShipped: async (text) => {
    await new DirectoryArtifacts({ directory: join(root, 'own') }).put('strimzi/0.43.0', text);
  },
  close: async () => undefined,
}));

describe('DirectoryArtifacts', () => {
  it('writes nothing to what came with kubemend', async () => {
    await artifacts.put('strimzi/1.2.0', 'own text');
    expect(readdirSync(join(root, 'shipped/strimzi'))).toEqual(['0.43.0.yaml.gz']);
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

  it('refuses a shipped file that is not what the index pins', async () => {
    ship('strimzi/0.43.0', 'tampered', sha256('shipped text'));
    await expect(artifacts.get('strimzi/0.43.0')).rejects.toThrow('Artifact strimzi/0.43.0 was changed');
  });

  it('says how to forget an own file that was changed', async () => {
    await artifacts.put('strimzi/1.2.0', 'own text');
    const [file] = ownFiles();
    writeFileSync(join(root, 'own/strimzi', file ?? ''), gzipSync('tampered'));
    await expect(artifacts.get('strimzi/1.2.0')).rejects.toThrow(/was changed: .* Delete .*1\.2\.0\.json to forget it/);
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

  it('a crash between the text and its pin leaves what was there', async () => {
    await artifacts.put('strimzi/1.2.0', 'first');
    writeFileSync(join(root, 'own/strimzi', `1.2.0.${sha256('second').slice(0, 16)}.yaml.gz`), gzipSync('second'));
    writeFileSync(join(root, 'own/strimzi/1.2.0.json.4f1c.tmp'), '{"sha2');
    expect(await open().get('strimzi/1.2.0')).toBe('first');
    expect(await open().list('strimzi/1')).toEqual(['strimzi/1.2.0']);
  });
});
