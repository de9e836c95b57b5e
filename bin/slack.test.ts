import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { slackOptions } from './slack.ts';
import type { Call } from './verb.ts';

let folder: string;
let token: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-slack-'));
  token = join(folder, 'token');
  await writeFile(token, 'xoxb-1\n');
  await writeFile(join(folder, 'empty'), '\n');
});
afterAll(() => rm(folder, { recursive: true }));

const options = (values: Record<string, string>) => slackOptions({ values } as unknown as Call);
const told = () => ({ 'slack-channel': 'C0MEND0001', 'slack-token-file': token });
const answered = () => ({
  ...told(),
  'slack-port': '8443',
  'slack-signing-secret-file': token,
  'slack-approvers': 'U0ADA00001, W0BOB00002',
});

it('without any option there is no Slack', async () => expect(await options({})).toBeUndefined());

it('tells only, when nothing says who may answer', async () => {
  const slack = await options(told());
  expect([slack?.channel, await slack?.token(), slack?.answers]).toEqual(['C0MEND0001', 'xoxb-1', undefined]);
});

it('takes up a new token without a restart', async () => {
  const slack = await options(told());
  await writeFile(token, 'xoxb-2');
  expect(await slack?.token()).toBe('xoxb-2');
});

it.each([
  ['8443', '0.0.0.0', 8443],
  ['127.0.0.1:0', '127.0.0.1', 0],
])('takes answers on %s', async (listen, host, port) => {
  const slack = await options({ ...answered(), 'slack-port': listen });
  expect(slack?.answers).toMatchObject({ approvers: ['U0ADA00001', 'W0BOB00002'], host, port });
});

it.each<[string, () => Record<string, string>, string]>([
  ['a channel alone', () => ({ 'slack-channel': 'C0MEND0001' }), '--slack-channel and --slack-token-file'],
  ["a channel's name", () => ({ ...told(), 'slack-channel': '#ops' }), '"#ops" is no channel id'],
  ['no such file', () => ({ ...told(), 'slack-token-file': '/nonexistent' }), '/nonexistent cannot be read'],
  ['an empty file', () => ({ ...told(), 'slack-token-file': join(folder, 'empty') }), 'is empty'],
  ['a port without approvers', () => ({ ...told(), 'slack-port': '1' }), '--slack-approvers together'],
  ['no approvers', () => ({ ...answered(), 'slack-approvers': '' }), '--slack-approvers together'],
  ['an approver by name', () => ({ ...answered(), 'slack-approvers': 'U0ADA00001,ada' }), '"ada" is no Slack user id'],
  ['a port that is none', () => ({ ...answered(), 'slack-port': 'http' }), '"http" is no port'],
  ['a port that is too high', () => ({ ...answered(), 'slack-port': '70000' }), '"70000" is no port'],
])('refuses %s in one sentence', async (_, values, sentence) => {
  await expect(options(values())).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining(sentence) });
});
