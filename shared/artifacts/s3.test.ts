import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientOptions, type Moto, startMoto } from '../../test/aws/moto.ts';
import type { Artifacts } from './artifacts.ts';
import { type Bucket, s3Bucket } from './bucket.ts';
import { artifactsContract } from './contract.ts';
import { DirectoryArtifacts } from './directory.ts';
import { PackedArtifacts, pack } from './packed.ts';
import { S3Artifacts } from './s3.ts';

let moto: Moto;
let client: S3Client;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-s3-'));
  await mkdir(join(folder, 'shipped/strimzi'), { recursive: true });
  await writeFile(join(folder, 'shipped/strimzi/0.43.0.yaml.gz'), gzipSync('shipped text'));
  const sha256 = createHash('sha256').update('shipped text').digest('hex');
  await writeFile(join(folder, 'shipped/index.json'), JSON.stringify({ 'strimzi/0.43.0': { sha256, source: 'the release' } }));
  moto = await startMoto();
  client = new S3Client({ ...clientOptions(moto.endpoint), forcePathStyle: true, maxAttempts: 1 });
}, 180_000);
afterAll(async () => {
  client.destroy();
  await moto.stop();
  await rm(folder, { recursive: true });
});

let made = 0;
async function newBucket(): Promise<string> {
  made += 1;
  const bucket = `bucket-${made}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  return bucket;
}

const bucketOf = (name: string, endpoint = moto.endpoint): Bucket =>
  s3Bucket({ name, ...clientOptions(endpoint), credentials: () => clientOptions(endpoint).credentials, wait: async () => undefined });

const keysOf = async (bucket: string): Promise<string[]> => {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
};

/** Stands for the function's own package. */
async function packShipped(): Promise<Artifacts> {
  const source = new DirectoryArtifacts({ directory: join(folder, 'none'), shipped: join(folder, 'shipped') });
  const file = join(folder, 'artifacts.json.br');
  await writeFile(file, await pack(source, 'strimzi/'));
  return new PackedArtifacts(file);
}

artifactsContract('S3Artifacts on moto, beside a package,', async () => {
  const bucket = await newBucket();
  const shipped = await packShipped();
  return {
    open: () => new S3Artifacts({ bucket: bucketOf(bucket), shipped }),
    async tamper() {
      const Key = (await keysOf(bucket)).find((key) => key.endsWith('.gz'));
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: gzipSync('tampered') }));
    },
    async replaceShipped(text) {
      await new S3Artifacts({ bucket: bucketOf(bucket) }).put('strimzi/0.43.0', text);
    },
    close: async () => undefined,
  };
});

describe('S3Artifacts', () => {
  it('never writes a text twice: a backup that is there stays as it is', async () => {
    const bucket = await newBucket();
    const artifacts = new S3Artifacts({ bucket: bucketOf(bucket) });
    const { sha256 } = await artifacts.put('backups/a', 'before the fix');
    const damaged = gzipSync('something else under this key');
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `backups/a/${sha256}.gz`, Body: damaged }));
    await artifacts.put('backups/a', 'before the fix');
    await expect(artifacts.get('backups/a')).rejects.toThrow('was changed');
    expect((await keysOf(bucket)).sort()).toEqual(['backups/a.json', `backups/a/${sha256}.gz`]);
  });

  it('keeps backups and documents apart by the first part of the key, and lists each under its own name', async () => {
    const bucket = await newBucket();
    const artifacts = new S3Artifacts({ bucket: bucketOf(bucket) });
    for (const name of ['strimzi/0.45.2', 'backups/strimzi/upgrade-stale-crds/1-2-0', 'documents/x']) await artifacts.put(name, 'x');
    const pins = (await keysOf(bucket)).filter((key) => key.endsWith('.json'));
    expect(pins.sort()).toEqual([
      'backups/strimzi/upgrade-stale-crds/1-2-0.json',
      'documents/documents/x.json',
      'documents/strimzi/0.45.2.json',
    ]);
    expect(await artifacts.list('')).toEqual(['backups/strimzi/upgrade-stale-crds/1-2-0', 'documents/x', 'strimzi/0.45.2']);
    expect(await artifacts.list('strimzi/')).toEqual(['strimzi/0.45.2']);
    expect(await artifacts.list('documents/')).toEqual(['documents/x']);
  });

  it('keeps the old text until the new one is pinned, and says so when a text is missing or no text', async () => {
    const bucket = await newBucket();
    const artifacts = new S3Artifacts({ bucket: bucketOf(bucket) });
    await artifacts.put('crds', 'first');
    const { get, put, ...rest } = bucketOf(bucket);
    const dying = new S3Artifacts({
      bucket: {
        ...{ get, ...rest },
        put: (key, ...what) => (key.endsWith('.json') ? Promise.reject(new Error('the process died')) : put(key, ...what)),
      },
    });
    await expect(dying.put('crds', 'second')).rejects.toThrow('the process died');
    expect(await artifacts.get('crds')).toBe('first');
    const pin = async (body: string) => client.send(new PutObjectCommand({ Bucket: bucket, Key: 'documents/crds.json', Body: body }));
    await pin(JSON.stringify({ sha256: 'a'.repeat(64) }));
    await expect(artifacts.get('crds')).rejects.toThrow(/lacks documents\/crds\/a{64}\.gz/);
    await pin('{"sha256": "short"}');
    await expect(artifacts.get('crds')).rejects.toThrow('does not pin an artifact as it should');
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `documents/crds/${'b'.repeat(64)}.gz`, Body: 'no gzip' }));
    await pin(JSON.stringify({ sha256: 'b'.repeat(64) }));
    await expect(artifacts.get('crds')).rejects.toThrow('Artifact crds cannot be read from');
  });

  it('says which bucket does not answer: what is not known is never "unknown artifact"', async () => {
    const artifacts = new S3Artifacts({ bucket: bucketOf('no-such-bucket'), shipped: await packShipped() });
    expect(await artifacts.get('strimzi/0.43.0')).toBe('shipped text');
    await expect(artifacts.get('strimzi/0.45.2')).rejects.toThrow(
      'Reading documents/strimzi/0.45.2.json in the bucket no-such-bucket was refused: 404 NoSuchBucket',
    );
    await expect(artifacts.describe('strimzi/0.45.2')).rejects.toThrow('NoSuchBucket');
    await expect(artifacts.put('a', 'b')).rejects.toThrow('Writing documents/a/');
    await expect(artifacts.list('a')).rejects.toThrow('Listing documents/a in the bucket no-such-bucket was refused');
    const away = new S3Artifacts({ bucket: bucketOf('b', 'http://127.0.0.1:1') });
    await expect(away.get('a')).rejects.toThrow('GET documents/a.json in the bucket b failed: fetch failed: ');
  });

  it('lists over more than one page, and names with every character that a name may have', async () => {
    const bucket = bucketOf(await newBucket());
    const keys = ['pins/a+b:c@d=e.json', 'pins/z&<.json', ...Array.from({ length: 1_000 }, (_, n) => `pins/n${n}.json`)].sort();
    for (let n = 0; n < keys.length; n += 50) await Promise.all(keys.slice(n, n + 50).map((key) => bucket.put(key, Buffer.from(key))));
    expect((await bucket.list('pins/')).sort()).toEqual(keys);
    expect(`${await bucket.get('pins/a+b:c@d=e.json')}`).toBe('pins/a+b:c@d=e.json');
    expect(await bucket.get('pins/none')).toBeUndefined();
  });
});
