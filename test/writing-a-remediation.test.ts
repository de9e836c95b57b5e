import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const NAME = 'example/unpause-widgets';
const NEEDED = [
  'artifacts',
  'bin',
  'biome.json',
  'events',
  'functions',
  'infra',
  'jest.config.ts',
  'package.json',
  'shared',
  'test',
  'tsconfig.json',
];
let copy: string;
let page: string;

/** A checkout of its own: other tests look at the remediations of this one. */
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'kubemend-new-'));
  for (const one of NEEDED)
    await cp(join(ROOT, one), join(copy, one), {
      recursive: true,
      filter: (path) => !/\/(node_modules|incidents\/[^/]+\/)/.test(path.slice(ROOT.length)),
    });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  page = await readFile(join(ROOT, 'docs/writing-a-remediation.md'), 'utf8');
}, 60_000);
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Runs a program of the checkout as a person does. */
function run(program: string, ...args: string[]): Promise<{ code: number | null; out: string }> {
  const options = program.includes('jest') ? '--experimental-vm-modules --disable-warning=ExperimentalWarning' : '';
  const child = spawn(process.execPath, [join(copy, program), ...args], {
    cwd: copy,
    env: { ...process.env, NODE_OPTIONS: options, KUBEMEND_STATE: copy },
  });
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (out += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })));
}

const kubemend = (...args: string[]) => run('bin/kubemend.ts', ...args);
const types = () => run('node_modules/typescript/bin/tsc', '-p', '.');
const testIt = () => run('node_modules/jest/bin/jest.js', '--maxWorkers=1', `functions/${NAME}`);

it('What the page says is so: from `new` over a test that fails to `verified` in the sandbox, in two files', async () => {
  const begin = /^kubemend (new functions\/\S+ --kind \S+)$/m.exec(page)?.[1] ?? '';
  const made = await kubemend(...begin.split(' '), '--json');
  expect({ code: made.code, ...(JSON.parse(made.out) as object) }).toMatchObject({ code: 0, remediation: NAME });
  expect(await kubemend(...begin.split(' '))).toMatchObject({ code: 2, out: expect.stringMatching(/is there already/) });
  expect(await types()).toEqual({ code: 0, out: '' });
  const failing = await testIt();
  expect(failing).toMatchObject({ code: 1, out: expect.stringMatching(/nobody has written this examination yet/) });

  const files = [...page.matchAll(/```\w+ title=(\S+)\n([\s\S]*?)```/g)].map(([, path = '', content = '']) => ({ path, content }));
  expect(files.map(({ path }) => path).sort()).toEqual([`functions/${NAME}/index.ts`, `functions/${NAME}/sample.yaml`]);
  for (const { path, content } of files) await writeFile(join(copy, path), content);
  const lines = Object.fromEntries(files.map(({ path, content }) => [path.split('.').at(-1), content.trimEnd().split('\n').length]));
  expect(page).toContain(`\`index.ts\` (${lines.ts} lines here; 100 are the limit)`);
  expect(page).toContain(`\`sample.yaml\` (${lines.yaml} lines)`);
  expect((lines.ts ?? 0) + (lines.yaml ?? 0)).toBeLessThanOrEqual(100);

  expect(await types()).toEqual({ code: 0, out: '' });
  expect(await testIt()).toMatchObject({ code: 0 });
  expect(await run('node_modules/@biomejs/biome/bin/biome', 'check', '--vcs-enabled=false', `functions/${NAME}`)).toMatchObject({
    code: 0,
  });
  const sandbox = await kubemend('sandbox', '--sample', NAME, '--mode', 'auto', '--json');
  expect(JSON.parse(sandbox.out.trim().split('\n').at(-1) ?? '{}')).toMatchObject({ remediation: NAME, state: 'verified' });
  expect(sandbox.code).toBe(0);
}, 480_000);

it.each([
  ['functions/Example/x', 'is no place for a remediation'],
  ['functions/../x', 'is no place for a remediation'],
  ['functions/kubemend/x', 'kubemend’s own functions'],
  ['x/y', 'is no place for a remediation'],
])('new %s is refused', async (folder, because) => {
  expect(await kubemend('new', folder)).toEqual({ code: 2, out: expect.stringContaining(because) });
});
