// When kubemend looks again: the queue (below 15 minutes), the schedule group (later), and the queue of what could not be delivered.
const FORTNIGHT = 14 * 24 * 3_600;
const key = process.env.KUBEMEND_KMS_KEY || undefined;
const encryption = key ? { KmsMasterKeyId: key } : { SqsManagedSseEnabled: true };

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const name = `kubemend-${stage}-appointments`;
  return {
    Resources: {
      Appointments: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: name,
          // Longer than continue-incident may work. A failed appointment comes again after this; 200 times are five hours.
          VisibilityTimeout: 90,
          MessageRetentionPeriod: FORTNIGHT,
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['AppointmentsDeadLetters', 'Arn'] }, maxReceiveCount: 200 },
          ...encryption,
        },
      },
      AppointmentsDeadLetters: {
        Type: 'AWS::SQS::Queue',
        Properties: { QueueName: `${name}-dead`, MessageRetentionPeriod: FORTNIGHT, ...encryption },
      },
      AppointmentsGroup: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: name } },
      AppointmentsRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          Description: 'EventBridge Scheduler puts appointments into their queue',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'scheduler.amazonaws.com' },
                Action: 'sts:AssumeRole',
                // Only schedules of this account may have it (the confused deputy).
                Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
              },
            ],
          },
          Policies: [
            {
              PolicyName: 'appointments',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  {
                    Effect: 'Allow',
                    Action: ['sqs:SendMessage'],
                    Resource: [{ 'Fn::GetAtt': ['Appointments', 'Arn'] }, { 'Fn::GetAtt': ['AppointmentsDeadLetters', 'Arn'] }],
                  },
                  ...(key ? [{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: key }] : []),
                ],
              },
            },
          ],
        },
      },
    },
    Outputs: { AppointmentsQueue: { Description: 'Looks that are due', Value: { Ref: 'Appointments' } } },
  };
};
