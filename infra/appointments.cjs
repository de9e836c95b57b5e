// When kubemend looks again: the queue (below 15 minutes), the schedule group (later), and the queue of what could not be delivered.
const FORTNIGHT = 14 * 24 * 3_600;
const { key } = require('./settings.cjs');
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
    },
    Outputs: { AppointmentsQueue: { Description: 'Looks that are due', Value: { Ref: 'Appointments' } } },
  };
};
