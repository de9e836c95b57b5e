import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from './build.ts';
import { download } from './download.ts';
import { withLock } from './lock.ts';

/** Absolute paths of the two programs that make a control plane. */
export interface Binaries {
  etcd: string;
  kubeApiserver: string;
}

/** The environment as a value, so that tests can pass an empty one. */
export type Environment = Record<string, string | undefined>;

export interface FindOptions {
  /** Told one line at a time what happens; a first build takes minutes. */
  progress?: (line: string) => void;
  env?: Environment;
  fetch?: typeof fetch;
}

/** Finds, downloads or builds etcd and kube-apiserver. Throws one error that names all four ways when none works. */
export async function findBinaries({ progress = () => {}, env = process.env, fetch: get = fetch }: FindOptions = {}): Promise<Binaries> {
  const reasons: string[] = [];
  const assets = env.KUBEBUILDER_ASSETS;
  const given = assets && (await both(assets));
  if (given) return given;
  reasons.push(
    assets
      ? `KUBEBUILDER_ASSETS: ${assets} does not hold executable files etcd and kube-apiserver.`
      : 'KUBEBUILDER_ASSETS: not set. Set it to a folder that holds etcd and kube-apiserver.',
  );

  const folder = await cacheFolder(env);
  const cached = await both(folder);
  if (cached) return cached;
  reasons.push(`Cache: ${folder} has none yet. \`npm run control-plane\` fills it by way 3 or 4.`);

  await mkdir(dirname(folder), { recursive: true });
  return withLock(`${folder}.lock`, progress, async () => {
    const made = await both(folder); // by whoever held the lock before
    if (made) return made;
    const ways: Way[] = [
      ['Download', 'It needs HTTPS to github.com.', (into) => download({ into, fetch: get, progress })],
      ['go build', 'It needs Go (https://go.dev/dl) and a Go module proxy.', (into) => build({ into, env, progress })],
    ];
    for (const [name, needs, make] of ways) {
      try {
        return await fill(folder, make);
      } catch (error) {
        const reason = `${name}: ${error instanceof Error ? error.message : String(error)}`;
        progress(reason);
        reasons.push(`${reason} ${needs}`);
      }
    }
    const list = reasons.map((reason, index) => `  ${index + 1}. ${reason}`).join('\n');
    throw new Error(`No etcd and kube-apiserver for the control plane. One of these four ways has to work:\n${list}`);
  });
}

type Way = [name: string, needs: string, make: (into: string) => Promise<void>];

/** The folder's name changes with everything that decides what would be built. */
async function cacheFolder(env: Environment): Promise<string> {
  const root = import.meta.dirname;
  const sources = await Array.fromAsync(glob('cmd/*/main.go', { cwd: root }));
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', ...sources.sort()]) hash.update(await readFile(join(root, name)));
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(cache, 'kubemend', 'control-plane', hash.digest('hex').slice(0, 16));
}

/** Both binaries appear in the cache at once or not at all. */
async function fill(folder: string, make: (into: string) => Promise<void>): Promise<Binaries> {
  // Under the lock a half-filled folder can only be left over from an attempt that was killed.
  for (const name of await Array.fromAsync(glob(`${basename(folder)}.new-*`, { cwd: dirname(folder) })))
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  const into = await mkdtemp(`${folder}.new-`);
  try {
    await make(into);
    if (!(await both(into))) throw new Error('it gave no executable files etcd and kube-apiserver.');
    await rm(folder, { recursive: true, force: true });
    await rename(into, folder);
  } finally {
    await rm(into, { recursive: true, force: true });
  }
  return { etcd: join(folder, 'etcd'), kubeApiserver: join(folder, 'kube-apiserver') };
}

async function both(folder: string): Promise<Binaries | undefined> {
  const found = { etcd: join(folder, 'etcd'), kubeApiserver: join(folder, 'kube-apiserver') };
  try {
    await Promise.all(Object.values(found).map((path) => access(path, constants.X_OK)));
    return found;
  } catch {
    return undefined;
  }
}
