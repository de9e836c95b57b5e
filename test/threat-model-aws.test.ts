import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { answerFunction, continueFunction, deployedFunctions, notifyFunction } from '../infra/deployment.ts';
import { threatsByRole } from './template-access.ts';

const page = await readFile(join(import.meta.dirname, '../docs/threat-model-aws.md'), 'utf8');

/** The sentences of one role's lists. */
function listed(heading: string): { can: string[]; cannot: string[] } {
  const section = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const list = (title: string): string[] =>
    [...((section.split(`${title}\n\n`)[1] ?? '').split('\n\n')[0]?.matchAll(/^- (.*)[;.]$/gm) ?? [])].map(([, line = '']) => line);
  return { can: list('It can:'), cannot: list('It cannot:') };
}

const roleOf = ({ logicalId }: { logicalId: string }): string => `${logicalId}Role`;

it.each([
  ['The function of a remediation', async () => (await deployedFunctions('dev')).map(roleOf)],
  ['continue-incident', async () => [roleOf(continueFunction('dev'))]],
  ['notify-slack', async () => [roleOf(notifyFunction('dev'))]],
  ['answer-slack', async () => [roleOf(answerFunction('dev'))]],
  ['EventBridge Scheduler', async () => ['AppointmentsRole']],
])('The page says of "%s" exactly what is checked with the simulator, of each of its roles', async (heading, roles) => {
  const threats = await threatsByRole();
  for (const role of await roles()) {
    const { can = [], cannot = [] } = threats.get(role) ?? {};
    expect(listed(heading)).toEqual({ can: can.map(({ says }) => says), cannot: cannot.map(({ says }) => says) });
  }
});
