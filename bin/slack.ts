import { readFile } from 'node:fs/promises';
import type { SlackOptions } from '../infra/local/slack.ts';
import { peopleOf, wrongChannel, wrongPerson } from '../shared/slack/ids.ts';
import { type Call, text, UsageError } from './verb.ts';

const NAMES = ['slack-channel', 'slack-token-file', 'slack-port', 'slack-signing-secret-file', 'slack-approvers'] as const;

/** The `--slack-…` options of `run`. Undefined: none was given. Throws UsageError where they do not belong together or a file cannot be read. */
export async function slackOptions(call: Call): Promise<SlackOptions | undefined> {
  const [channel, tokenFile, listen, secretFile, approverList] = NAMES.map((name) => text(call, name));
  if (NAMES.every((name) => text(call, name) === undefined)) return undefined;
  if (!channel || !tokenFile) throw new UsageError('Slack needs --slack-channel and --slack-token-file: see docs/slack.md');
  const notOne = wrongChannel(channel);
  if (notOne !== undefined) throw new UsageError(notOne);
  if ([listen, secretFile, approverList].every((value) => value === undefined)) return { channel, token: await secret(tokenFile) };
  if (!listen || !secretFile || !approverList)
    throw new UsageError('To take answers, Slack needs --slack-port, --slack-signing-secret-file and --slack-approvers together');
  const approvers = peopleOf(approverList);
  const [wrong] = approvers.flatMap((id) => wrongPerson(id) ?? []);
  if (wrong !== undefined) throw new UsageError(wrong);
  const [, host = '0.0.0.0', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(listen) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw new UsageError(`"${listen}" is no port: --slack-port 8443 or --slack-port 127.0.0.1:8443`);
  return {
    channel,
    token: await secret(tokenFile),
    answers: { signingSecret: await secret(secretFile), approvers, host, port: Number(port) },
  };
}

/** Reads the file now, so a wrong path is told at once, and again at each use, so a new secret needs no restart. */
async function secret(path: string): Promise<() => Promise<string>> {
  const read = async (): Promise<string> => (await readFile(path, 'utf8')).trim();
  const now = await read().catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (now === '') throw new UsageError(`${path} is empty`);
  return read;
}
