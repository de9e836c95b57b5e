import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FindOptions } from './binaries.ts';
import { goBuild } from './go-build.ts';
import { withLock } from './lock.ts';

/** A program of a Go module beside this file, kept in the user's cache. */
interface GoProgram extends Omit<FindOptions, 'fetch'> {
  name: string;
  /** `.`, or a package that the module requires. */
  package: string;
  /** The files it depends on: another content is another program. */
  files: string[];
  /** What is said when it has to be built. */
  building: string;
  /** The sentence when it cannot be. */
  missing(path: string, because: string): string;
}

/** The path of the program, built where it is not yet there. Throws what `missing` says. */
export async function findGoProgram(program: GoProgram): Promise<string> {
  const { name, files, building, missing, progress = () => {}, env = process.env } = program;
  const module = join(import.meta.dirname, name);
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(join(module, file)));
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const path = join(cache, 'kubemend', name, hash.digest('hex').slice(0, 16), name);
  if (await isProgram(path)) return path;
  await mkdir(dirname(dirname(path)), { recursive: true });
  return withLock(`${dirname(path)}.lock`, progress, async () => {
    if (await isProgram(path)) return path; // by whoever held the lock before
    progress(building);
    const into = await mkdtemp(`${dirname(path)}.new-`);
    try {
      await goBuild({ module, package: program.package, output: join(into, name), env });
      await rm(dirname(path), { recursive: true, force: true });
      await rename(into, dirname(path));
    } catch (error) {
      throw new Error(missing(path, (error as Error).message));
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return path;
  });
}

/** Whether there is a file that can be run. */
export const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
