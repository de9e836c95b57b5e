// The `functions:` of serverless.yml: one per folder in functions/, its rules made from the definition's `when`, and the one that continues.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { continueFunction, deployedFunctions } = require('./deployment.ts');
const { slackFunctions } = require('./slack-functions.cjs');
const { clusters, limits, network } = require('./settings.cjs');

/** A fix that comes late is worse than none: neither EventBridge nor Lambda tries longer. */
const HOUR = 3_600;
const arn = (resource) => ({ 'Fn::GetAtt': [resource, 'Arn'] });
const CONTINUE = 'kubemend/continue-incident';

const common = ({ functionName, logicalId }) => ({
  name: functionName,
  role: arn(`${logicalId}Role`),
  maximumEventAge: HOUR,
  maximumRetryAttempts: 2,
  destinations: { onFailure: { type: 'sqs', arn: arn(`${logicalId}DeadLetters`) } },
});

const retried = ({ logicalId }) => ({
  retryPolicy: { maximumEventAge: HOUR, maximumRetryAttempts: 5 },
  deadLetterQueueArn: arn(`${logicalId}DeadLetters`),
});

const remediationFunction = (deployed) => {
  const { remediation, ruleNames } = deployed;
  const { name, title, when } = remediation;
  // In the package and not in the environment: that takes 4 KB, two clusters with their certificate authorities.
  writeFileSync(join('dist', name, 'clusters.json'), clusters);
  return {
    ...common(deployed),
    description: title,
    handler: `dist/${name}/index.handler`,
    package: { patterns: ['!**', `dist/${name}/*.mjs`, `dist/${name}/artifacts.json.br`, `dist/${name}/clusters.json`] },
    reservedConcurrency: 5,
    ...(network && { vpc: network }),
    environment: {
      KUBEMEND_BUS: { Ref: 'Bus' },
      // JSON by remediation name, see infra/lambda/limits.ts.
      ...(name in limits && { KUBEMEND_LIMITS: limits[name] }),
      KUBEMEND_TABLE: { Ref: 'Table' },
      KUBEMEND_BUCKET: { Ref: 'Artifacts' },
      KUBEMEND_QUEUE: { Ref: 'Appointments' },
      KUBEMEND_QUEUE_ARN: arn('Appointments'),
      KUBEMEND_DEAD_LETTER_ARN: arn('AppointmentsDeadLetters'),
      KUBEMEND_SCHEDULE_GROUP: { Ref: 'AppointmentsGroup' },
      KUBEMEND_SCHEDULE_ROLE_ARN: arn('AppointmentsRole'),
    },
    events: when.map((pattern, index) => ({
      eventBridge: { eventBus: { Ref: 'Bus' }, name: ruleNames[index], description: title, pattern, ...retried(deployed) },
    })),
  };
};

const continuing = (deployed, stage) => ({
  ...common(deployed),
  description: 'Hand each incident that is due to the function of its remediation',
  handler: `dist/${CONTINUE}/index.handler`,
  package: { patterns: ['!**', `dist/${CONTINUE}/*.mjs`] },
  // Longer than the functions it waits for, with the time until they have a place; it waits more than it works.
  timeout: 60,
  memorySize: 256,
  // Ten of the queue, and the clock.
  reservedConcurrency: 12,
  environment: { KUBEMEND_TABLE: { Ref: 'Table' }, KUBEMEND_QUEUE: { Ref: 'Appointments' }, KUBEMEND_FUNCTIONS: `kubemend-${stage}-` },
  events: [
    { sqs: { arn: arn('Appointments'), batchSize: 10, functionResponseType: 'ReportBatchItemFailures', maximumConcurrency: 10 } },
    {
      eventBridge: {
        name: deployed.ruleNames[0],
        description: 'Take up what a process that died left behind',
        schedule: 'rate(5 minutes)',
        ...retried(deployed),
      },
    },
  ],
});

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const remediations = await deployedFunctions(stage);
  const last = continueFunction(stage);
  return Object.fromEntries([
    ...remediations.map((deployed) => [deployed.key, remediationFunction(deployed)]),
    [last.key, continuing(last, stage)],
    ...slackFunctions(stage, { common, retried }),
  ]);
};
