// One dead-letter queue per function: what EventBridge could not hand over, and what the function failed at.
const { continueFunction, deployedFunctions } = require('./deployment.ts');

const FORTNIGHT = 14 * 24 * 3_600;

const queueOf = ({ functionName }) => ({
  Type: 'AWS::SQS::Queue',
  // Not with a key of one's own: EventBridge would need rights on it, and dead letters would vanish without them.
  Properties: { QueueName: `${functionName}-dead`, MessageRetentionPeriod: FORTNIGHT, SqsManagedSseEnabled: true },
});

/** Without it EventBridge drops dead letters silently; osls does not make it. The function itself sends with its role. */
const policyOf = ({ logicalId }, ruleArns) => ({
  Type: 'AWS::SQS::QueuePolicy',
  Properties: {
    Queues: [{ Ref: `${logicalId}DeadLetters` }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: { 'Fn::GetAtt': [`${logicalId}DeadLetters`, 'Arn'] },
          Condition: { ArnEquals: { 'aws:SourceArn': ruleArns } },
        },
      ],
    },
  },
});

const ruleArn = (path) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:rule/${path}` });
const onOurBus = (name) => ruleArn(`\${Bus}/${name}`);
/** Where clocks tick. */
const onDefaultBus = (name) => ruleArn(name);

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const deployed = [...(await deployedFunctions(stage)), continueFunction(stage)];
  const resources = deployed.flatMap((one) => [
    [`${one.logicalId}DeadLetters`, queueOf(one)],
    [`${one.logicalId}DeadLettersPolicy`, policyOf(one, one.ruleNames.map(one.remediation ? onOurBus : onDefaultBus))],
  ]);
  return { Resources: Object.fromEntries(resources) };
};

// For the functions of Slack.
Object.assign(module.exports, { queueOf, policyOf, onOurBus, onDefaultBus });
