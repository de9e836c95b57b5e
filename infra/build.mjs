// `npm run build`: one ESM bundle per remediation, its Lambda entry made from the definition, and beside it what it loads only when it needs it and
// the operator's pinned documents.
// `--only NAME`, `--out DIR`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import { pack } from '../shared/artifacts/packed.ts';
import { loadRemediations, remediationNames } from './remediations.ts';

const LIMIT_KB = 800;
const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') }, only: { type: 'string' } } });
const out = resolve(values.out);
const CONTINUE = 'kubemend/continue-incident';
const NOTIFY = 'kubemend/notify-slack';
const ANSWER = 'kubemend/answer-slack';
const OWN = [CONTINUE, NOTIFY, ANSWER];
const names = [...remediationNames(), ...OWN].filter((name) => values.only === undefined || name === values.only);
if (names.length === 0) throw new Error(`There is nothing to build${values.only ? `: functions/${values.only}/index.ts is missing` : ''}`);

/** All there are, whatever is built: each function counts with the others. */
const remediations = JSON.stringify(remediationNames());
const continueEntry = `
import { continueAdapters, makeContinueHandler } from './infra/lambda/continue-incident.ts';
export const handler = makeContinueHandler(() => continueAdapters(${remediations}));
`;
const remediationEntry = (name) => `
import definition from './functions/${name}/index.ts';
import { lambdaAdapters } from './infra/lambda/adapters.ts';
import { makeHandler } from './infra/lambda/handler.ts';
export const handler = makeHandler(${JSON.stringify(name)}, definition, () => lambdaAdapters({ folder: import.meta.dirname, own: ${JSON.stringify(name)}, remediations: ${remediations} }));
`;
/** They know each remediation by its card alone, and hold no code of any. */
const cards = (await loadRemediations()).map(({ name, title, cause, when, limits }) => ({ name, title, cause, when, limits }));
const notifyEntry = `
import { makeNotifyHandler, notifyAdapters } from './infra/lambda/notify-slack.ts';
export const handler = makeNotifyHandler(() => notifyAdapters(${JSON.stringify(cards)}));
`;
const answerEntry = `
import { makeAnswerSlack } from './functions/kubemend/answer-slack/index.ts';
import { answerAdapters } from './infra/lambda/answer-slack.ts';
export const handler = makeAnswerSlack(() => answerAdapters(${JSON.stringify(cards)}));
`;
const ownEntries = { [CONTINUE]: continueEntry, [NOTIFY]: notifyEntry, [ANSWER]: answerEntry };
const entry = (name) => ownEntries[name] ?? remediationEntry(name);
// The CommonJS parts of the dependencies require Node's own modules.
const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** Milliseconds that the main thread works until the module is there, with the start of Node: the median of five, hardly longer on a busy machine. */
function startTime(module) {
  const code = `await import(${JSON.stringify(module)}); const { user, system } = process.threadCpuUsage(); console.log((user + system) / 1000);`;
  const runs = Array.from({ length: 5 }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${module} cannot be imported: ${stderr}`);
    return Number(stdout);
  });
  return runs.sort((a, b) => a - b)[2];
}

const shipped = new DirectoryArtifacts({ directory: join(root, 'artifacts'), shipped: join(root, 'artifacts') });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'empty.mjs'), 'export const handler = async () => {};\n');
const nothing = startTime(pathToFileURL(join(out, 'empty.mjs')).href);
console.log(`an empty function  starts in ${nothing.toFixed(0)} ms`);
const tooBig = [];
for (const name of names) {
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    stdin: { contents: entry(name), resolveDir: root, sourcefile: `${name}.entry.ts`, loader: 'ts' },
    outdir: folder,
    entryNames: 'index',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    metafile: true,
    bundle: true,
    splitting: true, // of what is imported on demand: parsing is most of a cold start
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': join(root, 'infra/lambda/own-credentials.ts') },
    banner: { js: banner },
    legalComments: 'none',
    sourcemap: 'external', // beside the bundle; serverless.yml does not pack it
    logLevel: 'warning',
  });
  const documents = await pack(shipped, `${name.split('/')[0]}/`);
  if (!OWN.includes(name)) writeFileSync(join(folder, 'artifacts.json.br'), documents);
  const modules = Object.entries(metafile.outputs).flatMap(([path, { bytes }]) => (path.endsWith('.mjs') ? bytes : []));
  const kilobytes = Math.ceil(modules.reduce((sum, bytes) => sum + bytes, 0) / 1000);
  if (kilobytes > LIMIT_KB) tooBig.push(`${name}: ${kilobytes} KB`);
  const took = startTime(pathToFileURL(join(folder, 'index.mjs')).href);
  console.log(
    `${name}  ${kilobytes} KB  documents ${Math.ceil(documents.length / 1000)} KB  starts in ${took.toFixed(0)} ms: import ${(took - nothing).toFixed(0)} ms, ${(took / nothing).toFixed(1)} × an empty function`,
  );
}
if (tooBig.length > 0) {
  console.error(`A bundle may have ${LIMIT_KB} KB at most; ${tooBig.join(', ')}. Find what came in: esbuild --analyze.`);
  process.exitCode = 1;
}
