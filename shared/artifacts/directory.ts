import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod';
import { openPrivateFile, privateDirectory } from '../../events/private-files.ts';
import { type Artifacts, checkName, ShippedError } from './artifacts.ts';

const pin = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), source: z.string().optional(), file: z.string().optional() });
type Pin = z.infer<typeof pin>;
interface Found {
  pin: Pin;
  /** The gzipped text. */
  file: string;
  recordedIn: string;
}

/**
 * Artifacts in a directory of the user, beside the read-only ones that ship with kubemend, which take precedence.
 * Shipped: `<name>.yaml.gz`, all pinned in one `index.json`. Added: `<name>.<hash>.yaml.gz`, each pinned in its own `<name>.json`, which is
 * renamed into place last: it is the moment of the change, whatever dies before or writes at the same time.
 * A replaced text stays behind as a file: somebody may be reading it.
 */
export class DirectoryArtifacts implements Artifacts {
  readonly #directory: string;
  readonly #shipped: string | undefined;
  #isPrivate = false;

  constructor({ directory, shipped }: { directory: string; shipped?: string }) {
    this.#directory = directory;
    this.#shipped = shipped;
  }

  async get(name: string, sha256?: string): Promise<string> {
    const found = await this.#find(name);
    if (!found) throw new Error(unknown(name));
    if (sha256 !== undefined && sha256 !== found.pin.sha256) {
      throw new Error(
        `Artifact ${name} is pinned as ${found.pin.sha256} in ${found.recordedIn}, but ${sha256} was asked for: it was replaced since. Make a new plan with "kubemend rerun".`,
      );
    }
    const text = await this.#read(name, found);
    const actual = sha256Of(text);
    if (actual === found.pin.sha256) return text;
    throw new Error(
      `Artifact ${name} was changed: ${found.file} has SHA-256 ${actual}, but ${found.recordedIn} pins ${found.pin.sha256}. ${restore(name, found)}`,
    );
  }

  async put(name: string, text: string): Promise<{ sha256: string }> {
    checkName(name);
    if (await this.#shippedOne(name)) throw new ShippedError(name);
    const sha256 = sha256Of(text);
    const file = `${name}.${sha256.slice(0, 16)}.yaml.gz`;
    if (!this.#isPrivate) privateDirectory(this.#directory);
    this.#isPrivate = true;
    privateDirectory(dirname(join(this.#directory, file)));
    await replaceFile(join(this.#directory, file), await promisify(gzip)(text));
    await replaceFile(this.#pinFile(name), `${JSON.stringify({ sha256, file })}\n`);
    return { sha256 };
  }

  async describe(name: string): Promise<{ sha256: string; source?: string } | undefined> {
    const found = await this.#find(name);
    return found && { sha256: found.pin.sha256, ...(found.pin.source !== undefined && { source: found.pin.source }) };
  }

  async list(prefix: string): Promise<string[]> {
    const added = (await filesBelow(this.#directory))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
    const names = new Set([...added, ...Object.keys(await this.#index())]);
    return [...names].filter((name) => name.startsWith(prefix)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  async #find(name: string): Promise<Found | undefined> {
    checkName(name);
    return (await this.#shippedOne(name)) ?? (await this.#added(name));
  }

  async #added(name: string): Promise<Found | undefined> {
    const recordedIn = this.#pinFile(name);
    const recorded = await readJson(recordedIn, pin);
    return recorded && { pin: recorded, file: join(this.#directory, recorded.file ?? `${name}.yaml.gz`), recordedIn };
  }

  async #shippedOne(name: string): Promise<Found | undefined> {
    const index = await this.#index();
    const recorded = Object.hasOwn(index, name) ? index[name] : undefined;
    if (!recorded || this.#shipped === undefined) return undefined;
    return { pin: recorded, file: join(this.#shipped, `${name}.yaml.gz`), recordedIn: join(this.#shipped, 'index.json') };
  }

  async #index(): Promise<Record<string, Pin>> {
    if (this.#shipped === undefined) return {};
    return (await readJson(join(this.#shipped, 'index.json'), z.record(z.string(), pin))) ?? {};
  }

  async #read(name: string, found: Found): Promise<string> {
    try {
      return (await promisify(gunzip)(await readFile(found.file))).toString('utf8');
    } catch (cause) {
      throw new Error(`Artifact ${name} cannot be read from ${found.file}: ${String(cause)}. ${restore(name, found)}`, { cause });
    }
  }

  #pinFile(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

function unknown(name: string): string {
  const [operator, version] = name.split('/');
  const command = `kubemend crds add ${operator} ${version ?? 'VERSION'} --from FILE`;
  return `No artifact ${name} is pinned. Run "${command}" with the release's own CRD file, or see artifacts/README.md for how the shipped ones are made.`;
}

const restore = (name: string, { recordedIn }: Found): string =>
  recordedIn.endsWith('index.json')
    ? `Restore it from kubemend's own release, or make it again as artifacts/README.md says.`
    : `Delete ${recordedIn} to forget it, or run "kubemend crds add ${name.replace('/', ' ')} --from FILE" again.`;

async function readJson<T>(file: string, shape: z.ZodType<T>): Promise<T | undefined> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return shape.parse(JSON.parse(content));
  } catch (cause) {
    throw new Error(
      `${file} does not pin artifacts as it should: ${String(cause)}. Open it and correct it, or delete it and add them again.`,
      {
        cause,
      },
    );
  }
}

/** Writes beside the file and renames over it, so that a reader sees the old bytes or the new ones, also after a power cut. */
async function replaceFile(file: string, content: string | Buffer): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await openPrivateFile(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
