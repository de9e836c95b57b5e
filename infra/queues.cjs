// One dead-letter queue per function: what EventBridge could not hand over, and what the function failed at.
const { deployedFunctions } = require('./deployment.ts');

const FORTNIGHT = 14 * 24 * 3_600;

const queueOf = ({ functionName }) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName: `${functionName}-dead`, MessageRetentionPeriod: FORTNIGHT, SqsManagedSseEnabled: true },
});

/** Without it EventBridge drops dead letters silently; osls does not make it. The function itself sends with its role. */
const policyOf = ({ logicalId, ruleNames }) => ({
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
          Condition: { ArnEquals: { 'aws:SourceArn': ruleNames.map(ruleArn) } },
        },
      ],
    },
  },
});

const ruleArn = (name) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:rule/\${Bus}/${name}` });

module.exports = async ({ resolveVariable }) => {
  const deployed = await deployedFunctions(await resolveVariable('sls:stage'));
  const resources = deployed.flatMap((one) => [
    [`${one.logicalId}DeadLetters`, queueOf(one)],
    [`${one.logicalId}DeadLettersPolicy`, policyOf(one)],
  ]);
  return { Resources: Object.fromEntries(resources) };
};
