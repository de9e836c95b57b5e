import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FindOptions } from './binaries.ts';
import { goBuild } from './go-build.ts';
import { withLock } from './lock.ts';

const SOURCE = join(import.meta.dirname, 'kubelet');

/**
 * Finds or builds the kubelet that answers exec and port-forward (11 s). It is a module of its own: an API server that was downloaded
 * needs no other Go source for it, and changing it rebuilds nothing else. Throws one error that names every way.
 */
export async function findKubelet({ progress = () => {}, env = process.env }: Omit<FindOptions, 'fetch'> = {}): Promise<string> {
  const assets = env.KUBEBUILDER_ASSETS && join(env.KUBEBUILDER_ASSETS, 'kubemend-kubelet');
  if (assets && (await isProgram(assets))) return assets;
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(SOURCE, name)));
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const path = join(cache, 'kubemend', 'kubelet', hash.digest('hex').slice(0, 16), 'kubelet');
  if (await isProgram(path)) return path;
  await mkdir(dirname(dirname(path)), { recursive: true });
  return withLock(`${dirname(path)}.lock`, progress, async () => {
    if (await isProgram(path)) return path; // by whoever held the lock before
    progress('Building the exec and port-forward kubelet with go build: once, a few seconds.');
    const into = await mkdtemp(`${dirname(path)}.new-`);
    try {
      await goBuild({ module: SOURCE, package: '.', output: join(into, 'kubelet'), env });
      await rm(dirname(path), { recursive: true, force: true });
      await rename(into, dirname(path));
    } catch (error) {
      const ways = [
        `1. KUBEBUILDER_ASSETS: ${env.KUBEBUILDER_ASSETS ?? 'not set'}. A program kubemend-kubelet in that folder is taken.`,
        `2. Cache: ${path} is not there yet.`,
        `3. go build: ${(error as Error).message} It needs Go (https://go.dev/dl) and a Go module proxy.`,
      ];
      throw new Error(`No kubelet for exec and port-forward. One of these three ways has to work:\n  ${ways.join('\n  ')}`);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return path;
  });
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
