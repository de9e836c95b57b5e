import { type SpawnOptions, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './binaries.ts';

export interface BuildOptions {
  /** An existing folder; etcd and kube-apiserver appear in it. */
  into: string;
  env: Environment;
  progress: (line: string) => void;
}

const PACKAGES = ['./cmd/etcd', './cmd/kube-apiserver'];

/** Builds both binaries with `go build` (about 9 minutes cold on 2 cores). Throws a sentence with Go's last lines. */
export async function build({ into, env, progress }: BuildOptions): Promise<void> {
  const started = Date.now();
  let step = 'fetching the Go modules';
  let fetched = 0;
  let compiled = 0;
  let total = 0;
  const count = () => (total > 0 ? `${compiled} of at most ${total} packages` : `${fetched} so far`);
  const tell = () => progress(`${elapsed(started)}: ${step}, ${count()}`);
  const beat = setInterval(tell, 10_000);
  try {
    progress('Building etcd and kube-apiserver with go build: once, about 9 minutes on 2 cores.');
    const listed = await go(['list', '-deps', ...PACKAGES], env, (lines) => {
      fetched += lines;
    });
    total = listed.trim().split('\n').length;
    step = 'compiling etcd and kube-apiserver';
    tell();
    // -v names each package when it is done; what Go's own cache has is not named.
    const flags = ['-trimpath', '-buildvcs=false', '-v', `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=${await version()}`];
    await go(['build', ...flags, '-o', `${into}/`, ...PACKAGES], env, (lines) => {
      compiled += lines;
    });
    progress(`Built in ${elapsed(started)}.`);
  } finally {
    clearInterval(beat);
  }
}

async function go(args: string[], env: Environment, onLines: (count: number) => void): Promise<string> {
  const options: SpawnOptions = { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn('go', args, options);
  let output = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
    onLines(text.split('\n').length - 1);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === 'ENOENT' ? 'there is no `go` on the PATH.' : `go could not be started: ${error.message}.`)),
    );
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`\`go ${args[0]}\` failed with exit code ${code}: ${errors.trim().split('\n').slice(-5).join(' | ')}.`));
    });
  });
}

/** Without it the server reports v0.0.0-master. */
async function version(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, 'go.mod'), 'utf8');
  return /k8s\.io\/kubernetes (v\S+)/.exec(text)?.[1] ?? 'v0.0.0';
}

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
