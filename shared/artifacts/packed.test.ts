import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DirectoryArtifacts } from './directory.ts';
import { PackedArtifacts, pack } from './packed.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-packed-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('packed artifacts', () => {
  it('gives back every text below the prefix under its pinned hash, and nothing else', async () => {
    const source = new DirectoryArtifacts({ directory: join(folder, 'source') });
    const pinned = await source.put('strimzi/0.9.0', 'é: 1\n');
    await source.put('strimzi/0.10.0', 'b: 2\n');
    await source.put('other/1.0.0', 'c: 3\n');
    const file = join(folder, 'artifacts.json.br');
    await writeFile(file, await pack(source, 'strimzi/'));
    const packed = new PackedArtifacts(file);
    expect(await packed.list('')).toEqual(['strimzi/0.9.0', 'strimzi/0.10.0']);
    expect(await packed.describe('strimzi/0.9.0')).toEqual(pinned);
    expect(await packed.get('strimzi/0.9.0', pinned.sha256)).toBe('é: 1\n');
    expect(await packed.describe('other/1.0.0')).toBeUndefined();
    await expect(packed.get('other/1.0.0')).rejects.toThrow('No artifact other/1.0.0 is packed');
    await expect(packed.get('strimzi/0.9.0', 'another')).rejects.toThrow('it was replaced since');
    await expect(packed.put('strimzi/1.0.0')).rejects.toThrow('read-only');
  });

  it('never returns a text that does not have its hash', async () => {
    const file = join(folder, 'changed.json.br');
    await writeFile(file, brotliCompressSync(JSON.stringify({ 'strimzi/1.0.0': { sha256: '0'.repeat(64), text: 'x' } })));
    await expect(new PackedArtifacts(file).get('strimzi/1.0.0')).rejects.toThrow('Build and deploy again');
  });
});
