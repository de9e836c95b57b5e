// One IAM role per function, and the scheduler's: what each may do stands in policies.ts. What a function may do in a cluster is RBAC, bound to
// the user name that the role's EKS access entry carries (infra/kubernetes/rbac.ts).
const { rolePolicies } = require('./policies.ts');
const settings = require('./settings.cjs');

const arn = (resource) => ({ 'Fn::GetAtt': [resource, 'Arn'] });

const roleOf = ({ description, service, statements, functionName }) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    Description: description,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: service },
          Action: 'sts:AssumeRole',
          // The scheduler acts for everybody: only schedules of this account may have it (the confused deputy).
          ...(functionName ? {} : { Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } }),
        },
      ],
    },
    Policies: [
      { PolicyName: functionName ? 'function' : 'appointments', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
    ],
  },
});

module.exports = async ({ resolveVariable }) => {
  const policies = await rolePolicies(await resolveVariable('sls:stage'), settings);
  return {
    Resources: Object.fromEntries(policies.map((one) => [one.role, roleOf(one)])),
    Outputs: Object.fromEntries(
      policies
        .filter(({ remediation }) => remediation)
        .map(({ role, remediation }) => [`${role}Arn`, { Description: `For the EKS access entry of ${remediation}`, Value: arn(role) }]),
    ),
  };
};
