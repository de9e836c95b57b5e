import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import * as z from 'zod';
import type { Artifacts } from './artifacts.ts';

const contents = z.record(z.string(), z.object({ sha256: z.string(), source: z.string().optional(), text: z.string() }));
type Contents = z.infer<typeof contents>;

/** Packs the artifacts below `prefix` into one file for `PackedArtifacts`. CRDs of neighbouring versions are nearly equal: 15 MB become 50 KB. */
export async function pack(artifacts: Artifacts, prefix: string): Promise<Buffer> {
  const packed: Contents = {};
  for (const name of await artifacts.list(prefix)) {
    const pin = await artifacts.describe(name);
    if (pin) packed[name] = { ...pin, text: await artifacts.get(name, pin.sha256) };
  }
  // The largest window: a version must still see the one before it.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  return promisify(brotliCompress)(JSON.stringify(packed), { params });
}

/** Artifacts in one read-only file beside a function, read when the first is asked for. */
export class PackedArtifacts implements Artifacts {
  readonly #file: string;
  #contents: Promise<Contents> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async get(name: string, sha256?: string): Promise<string> {
    const found = await this.#find(name);
    if (!found)
      throw new Error(`No artifact ${name} is packed in ${this.#file}. Pin it with "kubemend crds add", then build and deploy again.`);
    if (sha256 !== undefined && sha256 !== found.sha256) {
      throw new Error(
        `Artifact ${name} is packed as ${found.sha256}, but ${sha256} was asked for: it was replaced since. Make a new plan.`,
      );
    }
    const actual = createHash('sha256').update(found.text).digest('hex');
    if (actual !== found.sha256) {
      throw new Error(`Artifact ${name} in ${this.#file} has SHA-256 ${actual}, but ${found.sha256} is pinned. Build and deploy again.`);
    }
    return found.text;
  }

  async put(name: string): Promise<{ sha256: string }> {
    throw new Error(`Artifact ${name} cannot be kept: a function's own package is read-only.`);
  }

  async describe(name: string): Promise<{ sha256: string; source?: string } | undefined> {
    const found = await this.#find(name);
    return found && { sha256: found.sha256, ...(found.source !== undefined && { source: found.source }) };
  }

  async list(prefix: string): Promise<string[]> {
    const names = Object.keys(await this.#read()).filter((name) => name.startsWith(prefix));
    return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  async #find(name: string): Promise<Contents[string] | undefined> {
    const all = await this.#read();
    return Object.hasOwn(all, name) ? all[name] : undefined;
  }

  async #read(): Promise<Contents> {
    this.#contents ??= readFile(this.#file).then(async (bytes) =>
      contents.parse(JSON.parse(`${await promisify(brotliDecompress)(bytes)}`)),
    );
    return this.#contents;
  }
}
