import { peopleOf, wrongChannel, wrongPerson } from '../shared/slack/ids.ts';

/** Where a deployment tells Slack, and who may answer there. Secrets by their ARN, never their values. */
export interface SlackSettings {
  channel: string;
  /** ARN of the secret that holds the bot token. */
  token: string;
  /** Where Slack's methods are, for GovSlack. */
  api?: string;
  /** Absent: messages only. */
  answers?: { signingSecret: string; approvers: string } | undefined;
}

const MESSAGES = ['KUBEMEND_SLACK_CHANNEL', 'KUBEMEND_SLACK_TOKEN_ARN'] as const;
/** The token goes there and nowhere else. */
const APIS = ['https://slack.com/api', 'https://slack-gov.com/api'];
const ANSWERS = ['KUBEMEND_SLACK_SIGNING_SECRET_ARN', 'KUBEMEND_SLACK_APPROVERS'] as const;
/** A whole ARN, with the six characters that Secrets Manager appends: a part of it would grant nothing, or too much. */
const SECRET = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;

/** Reads what `npm run package` was given. Undefined: no Slack. Throws where the variables do not belong together or one is wrong. */
export function slackSettings(variables: Record<string, string | undefined>): SlackSettings | undefined {
  const given = (name: string): boolean => (variables[name] ?? '') !== '';
  if (![...MESSAGES, ...ANSWERS].some(given)) return undefined;
  const answers = ANSWERS.some(given);
  const missing = [...MESSAGES, ...(answers ? ANSWERS : [])].filter((name) => !given(name));
  if (missing.length > 0) throw new Error(`Slack needs ${missing.join(' and ')} too: see docs/slack.md, "On AWS"`);
  const [channel, token, signingSecret, approvers] = [...MESSAGES, ...ANSWERS].map((name) => variables[name] ?? '') as [
    string,
    string,
    string,
    string,
  ];
  const notArn = (answers ? [token, signingSecret] : [token]).find((arn) => !SECRET.test(arn));
  const wrong = [
    wrongChannel(channel),
    notArn === undefined ? undefined : `"${notArn}" is not the whole ARN of a secret in Secrets Manager (it ends in -XXXXXX)`,
    answers && token === signingSecret
      ? 'The bot token and the signing secret must be two secrets: who takes clicks may not read the token'
      : undefined,
    ...(answers ? peopleOf(approvers).map(wrongPerson) : []),
  ].find((sentence) => sentence !== undefined);
  if (wrong !== undefined) throw new Error(wrong);
  const api = variables.KUBEMEND_SLACK_API || undefined;
  if (api !== undefined && !APIS.includes(api)) throw new Error(`KUBEMEND_SLACK_API is not Slack: it is one of ${APIS.join(', ')}`);
  return { channel, token, ...(api && { api }), ...(answers && { answers: { signingSecret, approvers: peopleOf(approvers).join(',') } }) };
}
