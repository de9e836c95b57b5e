import { execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from '../control-plane/binaries.ts';
import { withLock } from '../control-plane/lock.ts';

/** What to install and where to say it. */
export interface PackagesOptions {
  /** `moto` stands for `test/aws/moto-requirements.txt`, in which its own line gives the version. */
  name: string;
  progress: (line: string) => void;
  env?: Environment;
}

/** A Python older than this lacks wheels of what we pin. */
const OLDEST = '3.11';

/** The Python of a virtual environment that has exactly the pinned packages; makes it in the user's cache when it is missing. Throws a sentence. */
export async function findPython({ name, progress, env = process.env }: PackagesOptions): Promise<string> {
  const requirements = join(import.meta.dirname, `${name}-requirements.txt`);
  const wanted = await readFile(requirements, 'utf8');
  const version = wanted.split('\n').find((line) => line.startsWith(`${name}==`));
  if (!version) throw new Error(`${requirements} has no line "${name}==VERSION": add it.`);
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const folder = join(cache, 'kubemend', version.replace('==', '-'));
  const python = join('bin', 'python');
  const ready = async () => (await text(join(folder, 'requirements.txt'))) === wanted && exists(join(folder, python));
  if (await ready()) return join(folder, python);
  await mkdir(dirname(folder), { recursive: true });
  return withLock(`${folder}.lock`, progress, async () => {
    if (await ready()) return join(folder, python); // by whoever held the lock before
    const into = await mkdtemp(`${folder}.new-`);
    try {
      await make(into, requirements, progress, env);
      await rm(folder, { recursive: true, force: true });
      // A virtual environment may be moved as long as its programs are started through its Python.
      await rename(into, folder);
      return join(folder, python);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  });
}

async function make(into: string, requirements: string, progress: (line: string) => void, env: Environment): Promise<void> {
  const hint = `Install Python ${OLDEST} or newer with venv and pip (Debian: apt-get install python3-venv).`;
  progress(`Installing ${requirements} with pip: once, less than a minute.`);
  await promisify(execFile)('python3', ['-m', 'venv', into], { env }).catch((error) => {
    const missing =
      error.code === 'ENOENT' ? 'there is no python3 on the PATH' : `python3 -m venv failed: ${last(error.stderr || error.message)}`;
    throw new Error(`No virtual environment for the tests: ${missing}. ${hint}`);
  });
  // What requirements.txt holds is at the same time the sign that everything is there: it comes last.
  const flags = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
  const child = spawn(join(into, 'bin', 'python'), ['-m', 'pip', 'install', ...flags, '-r', requirements], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (lines: string) => {
    for (const [line] of lines.matchAll(/^Collecting \S+/gm)) progress(line);
  });
  child.stderr.setEncoding('utf8').on('data', (lines: string) => {
    errors = (errors + lines).slice(-4_000);
  });
  const code = await new Promise((resolve) => child.on('error', resolve).on('close', resolve));
  if (code !== 0) throw new Error(`pip could not install ${requirements}: ${last(errors)}. It needs HTTPS to PyPI, once. ${hint}`);
  await promisify(execFile)('cp', [requirements, join(into, 'requirements.txt')]);
}

const last = (lines: string): string => lines.trim().split('\n').slice(-3).join(' | ');

const text = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
