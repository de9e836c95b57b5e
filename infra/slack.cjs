// What the functions of Slack need beside themselves, where it is configured: their roles, and the dead letters of the one that has rules.
const { answerFunction, notifyFunction } = require('./deployment.ts');
const { onDefaultBus, onOurBus, policyOf, queueOf } = require('./queues.cjs');
const { allow, arn, deadLetters, logs, role } = require('./roles.cjs');
const { slackSettings } = require('./slack-settings.ts');
const { SLACK_PARTITIONS } = require('../shared/slack/dynamodb-letters.ts');

/** Only these partitions of the table. A request always names one; the second condition is for one that would not. */
const inPartitions = (operator, names) => ({
  [`ForAllValues:${operator}`]: { 'dynamodb:LeadingKeys': names },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});
const keyRights = (key) => (key ? [allow(['kms:Decrypt', 'kms:GenerateDataKey'], key)] : []);

/** It reads incidents by the index that lists them, and writes what it remembers of its messages. */
const notifyStatements = (deployed, { token }, key) => [
  logs(deployed),
  deadLetters(deployed),
  allow(
    ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
    arn('Table'),
    inPartitions('StringEquals', [...SLACK_PARTITIONS, 'lease/slack/sender']),
  ),
  allow(['dynamodb:Query'], { 'Fn::Sub': `\${Table.Arn}/index/by-update` }),
  allow(['secretsmanager:GetSecretValue'], token),
  ...keyRights(key),
];

/** What a click may change: incidents, and the memory of requests. Not the modes, not the budgets, not another's lease. */
const answerStatements = (deployed, { signingSecret }, key) => [
  logs(deployed),
  allow(['dynamodb:GetItem', 'dynamodb:Query'], arn('Table'), inPartitions('StringLike', ['incident/*', 'id/*', 'settings'])),
  allow(['dynamodb:PutItem'], arn('Table'), inPartitions('StringLike', ['incident/*', 'id/*', 'lease/slack-request/*'])),
  allow(['sqs:SendMessage'], arn('Appointments')),
  allow(['secretsmanager:GetSecretValue'], signingSecret),
  ...keyRights(key),
];

module.exports = async ({ resolveVariable }) => {
  const settings = slackSettings(process.env);
  if (!settings) return { Resources: {} };
  const stage = await resolveVariable('sls:stage');
  const key = process.env.KUBEMEND_KMS_KEY || undefined;
  const [notify, answer] = [notifyFunction(stage), answerFunction(stage)];
  const [onBus, clock] = notify.ruleNames;
  return {
    Resources: {
      [`${notify.logicalId}DeadLetters`]: queueOf(notify),
      [`${notify.logicalId}DeadLettersPolicy`]: policyOf(notify, [onOurBus(onBus), onDefaultBus(clock)]),
      [`${notify.logicalId}Role`]: role('kubemend notify-slack', notifyStatements(notify, settings, key)),
      ...(settings.answers && {
        [`${answer.logicalId}Role`]: role('kubemend answer-slack', answerStatements(answer, settings.answers, key)),
      }),
    },
  };
};
