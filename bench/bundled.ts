import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const [, entrypoint = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync(join(import.meta.dirname, '../Dockerfile'), 'utf8')) ?? [];

/** The flags with which the container image runs Node. */
export const NODE_FLAGS = (JSON.parse(entrypoint) as string[]).filter((argument) => argument.startsWith('--'));

/** Bundles a program of this folder as it is deployed: otherwise Node's type stripping would be measured, too. Gives the path of the bundle. */
export async function bundled(program: string, directory: string): Promise<string> {
  const outfile = join(directory, program.replace(/\.ts$/, '.mjs'));
  const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  await build({
    ...{ entryPoints: [join(import.meta.dirname, program)], outfile },
    ...{ bundle: true, platform: 'node', format: 'esm', banner: { js }, mainFields: ['module', 'main'], logLevel: 'error' },
  });
  return outfile;
}
