import { spawn } from 'node:child_process';
import type { Environment } from './binaries.ts';

/** What `go build` is to make. */
export interface GoBuild {
  /** Folder of its go.mod. */
  module: string;
  /** `.`, or a package of a module that go.mod requires. */
  package: string;
  /** Path of the program. */
  output: string;
  env: Environment;
}

/** Builds one program of a Go module. Throws a sentence with Go's last lines. */
export async function goBuild({ module, package: name, output, env }: GoBuild): Promise<void> {
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', output, name];
  const child = spawn('go', args, { cwd: module, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === 'ENOENT' ? 'there is no `go` on the PATH.' : `go could not be started: ${error.message}.`)),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`\`go build\` failed with exit code ${code}: ${errors.trim().split('\n').slice(-5).join(' | ')}.`));
    });
  });
}
