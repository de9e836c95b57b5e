import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../control-plane/lock.ts';

const POM = join(import.meta.dirname, 'pom.xml');
/** Where Debian's packages zookeeper and libzookeeper-java put it. */
const DEBIAN = '/usr/share/java/zookeeper.jar';
const NEVER = () => {};

/** The Java class path of a real ZooKeeper: jars of Maven Central in the user's cache, or Debian's. Throws one error that names both ways. */
export async function findZookeeper(progress: (line: string) => void = NEVER, cache = join(homedir(), '.cache')): Promise<string> {
  const pom = await readFile(POM, 'utf8');
  const version = /<artifactId>zookeeper<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1];
  const folder = join(cache, 'kubemend', 'zookeeper', createHash('sha256').update(pom).digest('hex').slice(0, 16));
  const path = `${folder}/*`;
  if (await exists(join(folder, `zookeeper-${version}.jar`))) return path;
  await mkdir(dirname(folder), { recursive: true });
  return withLock(`${folder}.lock`, progress, async () => {
    if (await exists(join(folder, `zookeeper-${version}.jar`))) return path; // by whoever held the lock before
    const into = await mkdtemp(`${folder}.new-`);
    try {
      progress(`Fetching ZooKeeper ${version} from Maven Central: once, 5 MB.`);
      const args = ['-B', '-q', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${into}`, '-DincludeScope=runtime'];
      await promisify(execFile)('mvn', args, { timeout: 300_000 });
      if (!(await readdir(into)).includes(`zookeeper-${version}.jar`)) throw new Error('mvn copied no zookeeper.jar');
      await rm(folder, { recursive: true, force: true });
      await rename(into, folder);
      return path;
    } catch (error) {
      if (await exists(DEBIAN)) return `${DEBIAN}:/usr/share/java/*`;
      const last = (error as Error).message.trim().split('\n').slice(0, 3).join(' | ');
      throw new Error(
        `No ZooKeeper for the tests. One of these two ways has to work:\n  1. Maven Central: ${last}. It needs \`mvn\` and HTTPS to Maven Central, once.\n  2. Debian: ${DEBIAN} is not there. Install it: apt-get install zookeeper`,
      );
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
