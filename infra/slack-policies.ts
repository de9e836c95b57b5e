import { SLACK_PARTITIONS } from '../shared/slack/dynamodb-letters.ts';
import { answerFunction, type DeployedName, notifyFunction } from './deployment.ts';
import type { DeploymentSettings } from './deployment-settings.ts';
import type { RolePolicy } from './policies.ts';
import type { SlackSettings } from './slack-settings.ts';
import { allow, arn, deadLetters, forKey, inPartitions, logs } from './statements.ts';

/** It reads incidents by the index that lists them, and writes what it remembers of its messages. */
const notifyStatements = (deployed: DeployedName, { token }: SlackSettings, key: string | undefined) => [
  logs(deployed),
  deadLetters(deployed),
  allow(
    ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
    arn('Table'),
    inPartitions([...SLACK_PARTITIONS, 'lease/slack/sender']),
  ),
  allow(['dynamodb:Query'], { 'Fn::Sub': `\${Table.Arn}/index/by-update` }),
  allow(['secretsmanager:GetSecretValue'], token),
  ...forKey(key),
];

/** What a click may change: incidents, and the memory of requests. Not the modes, the budgets, the breakers, or a function's lease. */
const answerStatements = (deployed: DeployedName, { signingSecret }: NonNullable<SlackSettings['answers']>, key: string | undefined) => [
  logs(deployed),
  allow(['dynamodb:GetItem', 'dynamodb:Query'], arn('Table'), inPartitions(['incident/*', 'id/*', 'settings'])),
  allow(['dynamodb:PutItem'], arn('Table'), inPartitions(['incident/*', 'id/*', 'lease/slack-request/*'])),
  allow(['sqs:SendMessage'], arn('Appointments')),
  allow(['secretsmanager:GetSecretValue'], signingSecret),
  ...forKey(key),
];

/** The roles of the functions of Slack; none where it is not configured. */
export function slackPolicies(stage: string, { slack, key }: DeploymentSettings): RolePolicy[] {
  if (!slack) return [];
  const [notify, answer] = [notifyFunction(stage), answerFunction(stage)];
  const of = ({ logicalId, functionName }: DeployedName, description: string) => ({
    ...{ role: `${logicalId}Role`, description, service: 'lambda.amazonaws.com', functionName },
  });
  return [
    { ...of(notify, 'kubemend notify-slack'), statements: notifyStatements(notify, slack, key) },
    ...(slack.answers ? [{ ...of(answer, 'kubemend answer-slack'), statements: answerStatements(answer, slack.answers, key) }] : []),
  ];
}
