import * as z from 'zod';
import type { Credentials } from '../../shared/kubernetes/eks-token.ts';
import { peopleOf } from '../../shared/slack/ids.ts';

/** Everything a remediation's function takes from its surroundings; the one file here that reads `process.env`. */
export interface Environment {
  /** Name of the event bus. */
  bus: string;
  /** JSON, see limits.ts. */
  limits: string;
  /** Names of the state table and of the bucket of artifacts. */
  table: string;
  bucket: string;
  region: string;
  /** Where AWS is, if it is not where it always is: `AWS_ENDPOINT_URL`, as the SDK reads it too. */
  endpoint: string | undefined;
  appointments: { queue: string; queueArn: string; deadLetterArn: string; group: string; roleArn: string };
  /** The execution role's credentials, read when they are needed: Lambda sets them for the life of the environment. */
  credentials(): Credentials;
}

/** What the function that continues incidents takes: no cluster. */
export interface ContinueEnvironment {
  table: string;
  /** URL of the queue of appointments. */
  queue: string;
  /** What the names of the remediations' functions begin with: `kubemend-prod-`. */
  functions: string;
}

/** What the function that tells Slack takes. */
export interface NotifyEnvironment {
  table: string;
  channel: string;
  /** ARN of the bot token's secret. */
  token: string;
  /** Where Slack's methods are, if they are not where they always are: GovSlack's are at slack-gov.com. */
  api: string | undefined;
}

/** What the function that takes clicks takes: no bot token. */
export interface AnswerEnvironment {
  table: string;
  queue: string;
  /** ARN of the signing secret. */
  signingSecret: string;
  approvers: string[];
}

type Variables = Record<string, string | undefined>;

const name = z.string().min(1);
const settings = z.object({
  KUBEMEND_BUS: name,
  KUBEMEND_LIMITS: z.string().default(''),
  KUBEMEND_TABLE: name,
  KUBEMEND_BUCKET: name,
  KUBEMEND_QUEUE: name,
  KUBEMEND_QUEUE_ARN: name,
  KUBEMEND_DEAD_LETTER_ARN: name,
  KUBEMEND_SCHEDULE_GROUP: name,
  KUBEMEND_SCHEDULE_ROLE_ARN: name,
  AWS_REGION: name,
  AWS_ENDPOINT_URL: z.url().optional(),
});
const continuing = z.object({ KUBEMEND_TABLE: name, KUBEMEND_QUEUE: name, KUBEMEND_FUNCTIONS: name });
const notifying = z.object({
  KUBEMEND_TABLE: name,
  KUBEMEND_SLACK_CHANNEL: name,
  KUBEMEND_SLACK_TOKEN_ARN: name,
  KUBEMEND_SLACK_API: z.url().optional(),
});
const answering = z.object({
  KUBEMEND_TABLE: name,
  KUBEMEND_QUEUE: name,
  KUBEMEND_SLACK_SIGNING_SECRET_ARN: name,
  KUBEMEND_SLACK_APPROVERS: name,
});

const keys = z.object({
  AWS_ACCESS_KEY_ID: name,
  AWS_SECRET_ACCESS_KEY: name,
  AWS_SESSION_TOKEN: z.string().optional(),
});

/** Reads the environment that infra/functions.cjs sets. Throws an error that names the variables to set. */
export function readEnvironment(variables: Variables = process.env): Environment {
  const found = parse(settings, variables, 'serverless.yml sets it');
  return {
    bus: found.KUBEMEND_BUS,
    limits: found.KUBEMEND_LIMITS,
    table: found.KUBEMEND_TABLE,
    bucket: found.KUBEMEND_BUCKET,
    region: found.AWS_REGION,
    endpoint: found.AWS_ENDPOINT_URL,
    appointments: {
      queue: found.KUBEMEND_QUEUE,
      queueArn: found.KUBEMEND_QUEUE_ARN,
      deadLetterArn: found.KUBEMEND_DEAD_LETTER_ARN,
      group: found.KUBEMEND_SCHEDULE_GROUP,
      roleArn: found.KUBEMEND_SCHEDULE_ROLE_ARN,
    },
    credentials() {
      const own = parse(keys, variables, 'Lambda sets it from the execution role');
      return { accessKeyId: own.AWS_ACCESS_KEY_ID, secretAccessKey: own.AWS_SECRET_ACCESS_KEY, sessionToken: own.AWS_SESSION_TOKEN };
    },
  };
}

/** The same for functions/kubemend/continue-incident. */
export function readContinueEnvironment(variables: Variables = process.env): ContinueEnvironment {
  const found = parse(continuing, variables, 'infra/functions.cjs sets it');
  return { table: found.KUBEMEND_TABLE, queue: found.KUBEMEND_QUEUE, functions: found.KUBEMEND_FUNCTIONS };
}

/** The same for functions/kubemend/notify-slack. */
export function readNotifyEnvironment(variables: Variables = process.env): NotifyEnvironment {
  const found = parse(notifying, variables, 'infra/slack-functions.cjs sets it');
  const { KUBEMEND_TABLE: table, KUBEMEND_SLACK_CHANNEL: channel, KUBEMEND_SLACK_TOKEN_ARN: token, KUBEMEND_SLACK_API: api } = found;
  return { table, channel, token, api };
}

/** The same for functions/kubemend/answer-slack. */
export function readAnswerEnvironment(variables: Variables = process.env): AnswerEnvironment {
  const found = parse(answering, variables, 'infra/slack-functions.cjs sets it');
  const { KUBEMEND_TABLE: table, KUBEMEND_QUEUE: queue, KUBEMEND_SLACK_SIGNING_SECRET_ARN: signingSecret } = found;
  return { table, queue, signingSecret, approvers: peopleOf(found.KUBEMEND_SLACK_APPROVERS) };
}

function parse<T>(shape: z.ZodType<T>, variables: Variables, who: string): T {
  const result = shape.safeParse(variables);
  if (result.success) return result.data;
  const names = [...new Set(result.error.issues.map(({ path }) => path.join('.')))];
  throw new Error(`The environment lacks ${names.join(', ')}: ${who}.`);
}
