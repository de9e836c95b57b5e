import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { remediationNames } from '../infra/remediations.ts';
import { type PackagedService, readPackage } from './packaged-service.ts';
import { CONTINUE } from './template-roles.ts';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

export const NOTIFY = 'kubemend/notify-slack';
export const ANSWER = 'kubemend/answer-slack';

/** Packages the service with Slack configured by `variables`: the two bundles of Slack are real, the others are empty, which `test/package.test.ts` builds. */
export async function packageSlack(folder: string, path: string, variables: Record<string, string>): Promise<PackagedService> {
  const service = join(folder, 'service');
  const dist = join(service, 'dist');
  await mkdir(service);
  for (const one of ['artifacts', 'events', 'functions', 'infra', 'package.json', 'shared'])
    await symlink(join(ROOT, one), join(service, one));
  await cp(join(ROOT, 'serverless.yml'), join(service, 'serverless.yml'));
  for (const name of [...remediationNames(), CONTINUE]) {
    await mkdir(join(dist, name), { recursive: true });
    for (const file of ['index.mjs', 'artifacts.json.br']) await writeFile(join(dist, name, file), ' ');
  }
  const env = { HOME: folder, PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${path}` };
  for (const name of [NOTIFY, ANSWER])
    await run(process.execPath, [join(ROOT, 'infra/build.mjs'), '--only', name, '--out', dist], { cwd: ROOT, env });
  const to = join(folder, 'package');
  const failed = (error: { stdout?: string; stderr?: string }) => {
    throw new Error(`serverless package failed:\n${error.stdout}\n${error.stderr}`);
  };
  await run('serverless', ['package', '--package', to], { cwd: service, env: { ...env, ...variables } }).catch(failed);
  return readPackage(to);
}
