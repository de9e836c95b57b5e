import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { type Artifacts, checkName } from './artifacts.ts';

const pin = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), source: z.string().optional() });
type Pin = z.infer<typeof pin>;

/**
 * Artifacts in a bucket, in front of the read-only ones of the function's own package.
 * `texts/<sha256>.gz` holds a text and is never written twice: no backup can be lost to a later one. `pins/<name>.json` says which text a name
 * means, and is written last: it is the moment of the change. Every text is hashed after reading.
 */
export class S3Artifacts implements Artifacts {
  readonly #client: Pick<S3Client, 'send'>;
  readonly #bucket: string;
  readonly #shipped: Artifacts | undefined;

  constructor({ client, bucket, shipped }: { client: Pick<S3Client, 'send'>; bucket: string; shipped?: Artifacts }) {
    this.#client = client;
    this.#bucket = bucket;
    this.#shipped = shipped;
  }

  async get(name: string, sha256?: string): Promise<string> {
    const own = await this.#pin(name);
    if (!own && this.#shipped) return this.#shipped.get(name, sha256);
    if (!own)
      throw new Error(
        `No artifact ${name} is pinned in the bucket ${this.#bucket}. Pin it with "kubemend crds add", or see artifacts/README.md.`,
      );
    if (sha256 !== undefined && sha256 !== own.sha256) {
      throw new Error(
        `Artifact ${name} is pinned as ${own.sha256} in ${this.#bucket}, but ${sha256} was asked for: it was replaced since. Make a new plan.`,
      );
    }
    const packed = await this.#read(textKey(own.sha256));
    if (!packed) throw new Error(`Artifact ${name} cannot be read: ${this.#bucket} lacks ${textKey(own.sha256)}. Pin it again.`);
    const text = await promisify(gunzip)(packed).then(String, (error: Error) => {
      throw new Error(`Artifact ${name} cannot be read from ${this.#bucket}/${textKey(own.sha256)}: ${error.message}. Pin it again.`);
    });
    const actual = sha256Of(text);
    if (actual === own.sha256) return text;
    throw new Error(
      `Artifact ${name} was changed: ${this.#bucket}/${textKey(own.sha256)} has SHA-256 ${actual}. Find out who did it, then pin it again.`,
    );
  }

  async put(name: string, text: string): Promise<{ sha256: string }> {
    checkName(name);
    const sha256 = sha256Of(text);
    await this.#write(textKey(sha256), await promisify(gzip)(text), '*');
    await this.#write(pinKey(name), Buffer.from(JSON.stringify({ sha256 })));
    return { sha256 };
  }

  async describe(name: string): Promise<{ sha256: string; source?: string } | undefined> {
    const own = await this.#pin(name);
    if (!own) return this.#shipped?.describe(name);
    return { sha256: own.sha256, ...(own.source !== undefined && { source: own.source }) };
  }

  async list(prefix: string): Promise<string[]> {
    const names = new Set(await this.#shipped?.list(prefix));
    let after: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: `pins/${prefix}`, ContinuationToken: after });
      const page = await this.#client.send(command);
      for (const { Key = '' } of page.Contents ?? []) if (Key.endsWith('.json')) names.add(Key.slice('pins/'.length, -'.json'.length));
      after = page.NextContinuationToken;
    } while (after);
    return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  async #pin(name: string): Promise<Pin | undefined> {
    checkName(name);
    const bytes = await this.#read(pinKey(name));
    if (!bytes) return undefined;
    try {
      return pin.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch (cause) {
      throw new Error(
        `${this.#bucket}/${pinKey(name)} does not pin an artifact as it should: ${String(cause)}. Delete it and pin it again.`,
        { cause },
      );
    }
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return await Body?.transformToByteArray();
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw this.#failure('read', key, error as Error);
    }
  }

  async #write(key: string, body: Uint8Array, unless?: '*'): Promise<void> {
    try {
      await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ...(unless && { IfNoneMatch: unless }) }));
    } catch (error) {
      // Two writers at once, or it is there already: under this key there is only one text.
      if (unless && ['PreconditionFailed', 'ConditionalRequestConflict'].includes((error as Error).name)) return;
      throw this.#failure('write', key, error as Error);
    }
  }

  #failure = (doing: string, key: string, cause: Error): Error =>
    new Error(`The bucket ${this.#bucket} could not ${doing} ${key}: ${cause.name}: ${cause.message}`, { cause });
}

const textKey = (sha256: string): string => `texts/${sha256}.gz`;
const pinKey = (name: string): string => `pins/${name}.json`;
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
