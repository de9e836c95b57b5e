import { join } from 'node:path';
import { build } from 'esbuild';

/** The flags of the container image (Dockerfile): a small nursery, because V8 keeps whatever size it once had. */
export const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=50'];

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
