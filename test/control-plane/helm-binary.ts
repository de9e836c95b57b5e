import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FindOptions } from './binaries.ts';
import { goBuild } from './go-build.ts';
import { withLock } from './lock.ts';

const MODULE = join(import.meta.dirname, 'helm');

/**
 * Finds or builds Helm, of the version that helm/go.mod pins (about 3 minutes cold on 2 cores): the chart is rendered by the program that
 * people use. Throws a sentence that says what is missing.
 */
export async function findHelm({ progress = () => {}, env = process.env }: Omit<FindOptions, 'fetch'> = {}): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) hash.update(await readFile(join(MODULE, name)));
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const path = join(cache, 'kubemend', 'helm', hash.digest('hex').slice(0, 16), 'helm');
  if (await isProgram(path)) return path;
  await mkdir(dirname(dirname(path)), { recursive: true });
  return withLock(`${dirname(path)}.lock`, progress, async () => {
    if (await isProgram(path)) return path; // by whoever held the lock before
    progress('Building Helm with go build: once, about 3 minutes on 2 cores.');
    const into = await mkdtemp(`${dirname(path)}.new-`);
    try {
      await goBuild({ module: MODULE, package: 'helm.sh/helm/v4/cmd/helm', output: join(into, 'helm'), env });
      await rm(dirname(path), { recursive: true, force: true });
      await rename(into, dirname(path));
    } catch (error) {
      throw new Error(
        `No Helm at ${path}, and it could not be built: ${(error as Error).message} It needs Go (https://go.dev/dl) and a Go module proxy.`,
      );
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
