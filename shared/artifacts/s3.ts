import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod';
import { type Artifacts, checkName, ShippedError } from './artifacts.ts';
import type { Bucket } from './bucket.ts';

const pin = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), source: z.string().optional() });
type Pin = z.infer<typeof pin>;

/**
 * Artifacts in a bucket, beside the read-only ones of the function's own package, which take precedence.
 * `<key>/<sha256>.gz` holds a text and is never written twice: no backup can be lost to a later one. `<key>.json` says which text a name means,
 * and is written last: it is the moment of the change. Every text is hashed after reading. A key begins with `backups/` or `documents/`,
 * so that a role can be limited to the keys of its own backups (infra/policies.ts).
 */
export class S3Artifacts implements Artifacts {
  readonly #bucket: Bucket;
  readonly #shipped: Artifacts | undefined;

  constructor({ bucket, shipped }: { bucket: Bucket; shipped?: Artifacts }) {
    this.#bucket = bucket;
    this.#shipped = shipped;
  }

  async get(name: string, sha256?: string): Promise<string> {
    if (await this.#ships(name)) return (this.#shipped as Artifacts).get(name, sha256);
    const own = await this.#pin(name);
    if (!own)
      throw new Error(
        `No artifact ${name} is pinned in the bucket ${this.#bucket.name}. Pin it with "kubemend crds add --aws-bucket", or see artifacts/README.md.`,
      );
    if (sha256 !== undefined && sha256 !== own.sha256) {
      throw new Error(
        `Artifact ${name} is pinned as ${own.sha256} in ${this.#bucket.name}, but ${sha256} was asked for: it was replaced since. Make a new plan.`,
      );
    }
    const key = textKey(name, own.sha256);
    const packed = await this.#bucket.get(key);
    if (!packed) throw new Error(`Artifact ${name} cannot be read: ${this.#bucket.name} lacks ${key}. Pin it again.`);
    const text = await promisify(gunzip)(packed).then(String, (error: Error) => {
      throw new Error(`Artifact ${name} cannot be read from ${this.#bucket.name}/${key}: ${error.message}. Pin it again.`);
    });
    const actual = sha256Of(text);
    if (actual === own.sha256) return text;
    throw new Error(
      `Artifact ${name} was changed: ${this.#bucket.name}/${key} has SHA-256 ${actual}. Find out who did it, then pin it again.`,
    );
  }

  async put(name: string, text: string): Promise<{ sha256: string }> {
    if (await this.#ships(name)) throw new ShippedError(name);
    const sha256 = sha256Of(text);
    await this.#bucket.put(textKey(name, sha256), await promisify(gzip)(text), true);
    await this.#bucket.put(pinKey(name), Buffer.from(JSON.stringify({ sha256 })));
    return { sha256 };
  }

  async describe(name: string): Promise<{ sha256: string; source?: string } | undefined> {
    if (await this.#ships(name)) return this.#shipped?.describe(name);
    const own = await this.#pin(name);
    return own && { sha256: own.sha256, ...(own.source !== undefined && { source: own.source }) };
  }

  async list(prefix: string): Promise<string[]> {
    const names = new Set(await this.#shipped?.list(prefix));
    for (const root of [DOCUMENTS, ''])
      for (const key of await this.#bucket.list(`${root}${prefix}`))
        if (key.endsWith('.json') && key.startsWith(root || BACKUPS)) names.add(key.slice(root.length, -'.json'.length));
    return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  async #ships(name: string): Promise<boolean> {
    checkName(name);
    return (await this.#shipped?.describe(name)) !== undefined;
  }

  async #pin(name: string): Promise<Pin | undefined> {
    const bytes = await this.#bucket.get(pinKey(name));
    if (!bytes) return undefined;
    try {
      return pin.parse(JSON.parse(bytes.toString('utf8')));
    } catch (cause) {
      throw new Error(
        `${this.#bucket.name}/${pinKey(name)} does not pin an artifact as it should: ${String(cause)}. Delete it and pin it again.`,
        { cause },
      );
    }
  }
}

const [BACKUPS, DOCUMENTS] = ['backups/', 'documents/'];
const keyOf = (name: string): string => (name.startsWith(BACKUPS) ? name : `${DOCUMENTS}${name}`);
const textKey = (name: string, sha256: string): string => `${keyOf(name)}/${sha256}.gz`;
const pinKey = (name: string): string => `${keyOf(name)}.json`;
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
