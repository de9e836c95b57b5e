// One IAM role per function: its own log group, its own dead letters, and events on the bus as kubemend. Nothing else: what it may do
// in a cluster is RBAC, bound to the user name that the role's EKS access entry carries (infra/kubernetes/rbac.ts).
const { deployedFunctions } = require('./deployment.ts');

const allow = (actions, resource, condition) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resource,
  ...(condition && { Condition: condition }),
});

const roleOf = ({ logicalId, remediation }) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    Description: `kubemend ${remediation.name}`,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      {
        PolicyName: 'function',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            // The Arn of a log group ends in `:*`: it names the streams in this group.
            allow(['logs:CreateLogStream', 'logs:PutLogEvents'], { 'Fn::GetAtt': [`${logicalId}LogGroup`, 'Arn'] }),
            allow(['events:PutEvents'], { 'Fn::GetAtt': ['Bus', 'Arn'] }, { StringEquals: { 'events:source': 'kubemend' } }),
            allow(['sqs:SendMessage'], { 'Fn::GetAtt': [`${logicalId}DeadLetters`, 'Arn'] }),
          ],
        },
      },
    ],
  },
});

module.exports = async ({ resolveVariable }) => {
  const deployed = await deployedFunctions(await resolveVariable('sls:stage'));
  return {
    Resources: Object.fromEntries(deployed.map((one) => [`${one.logicalId}Role`, roleOf(one)])),
    Outputs: Object.fromEntries(
      deployed.map(({ logicalId, remediation }) => [
        `${logicalId}RoleArn`,
        { Description: `For the EKS access entry of ${remediation.name}`, Value: { 'Fn::GetAtt': [`${logicalId}Role`, 'Arn'] } },
      ]),
    ),
  };
};
