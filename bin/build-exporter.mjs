// `npm run build:exporter`: the program of the container image. `dist/exporter/export.mjs` is the verb `export`, its rules fixed; what only
// some runs need (AWS, a kubeconfig) is loaded from the chunks beside it. `--out DIR`.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { loadRules } from '../infra/remediations.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist/exporter') } } });
const out = resolve(values.out);
const entry = `
import { exportVerb } from './bin/export-verb.ts';
import { finish, runVerb } from './bin/run-verb.ts';
const rules = ${JSON.stringify(await loadRules())};
const argv = process.argv.slice(2);
await finish(argv, () => runVerb('export', exportVerb(async () => rules), argv));
`;
// The CommonJS parts of the dependencies require Node's own modules.
const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

rmSync(out, { recursive: true, force: true });
await build({
  stdin: { contents: entry, resolveDir: root, sourcefile: 'exporter.entry.ts', loader: 'ts' },
  outdir: out,
  entryNames: 'export',
  outExtension: { '.js': '.mjs' },
  splitting: true,
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: banner },
  legalComments: 'none',
  logLevel: 'warning',
});
const kilobytes = (file) => Math.ceil(statSync(join(out, file)).size / 1000);
console.log(
  `exporter  ${kilobytes('export.mjs')} KB, with its chunks ${readdirSync(out).reduce((sum, file) => sum + kilobytes(file), 0)} KB`,
);
