// One IAM role per function, and nothing in it that the function does not do. What a function may do in a cluster is RBAC, bound to the user
// name that the role's EKS access entry carries (infra/kubernetes/rbac.ts).
const { continueFunction, deployedFunctions } = require('./deployment.ts');

const arn = (resource) => ({ 'Fn::GetAtt': [resource, 'Arn'] });
const allow = (actions, resource, condition) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resource,
  ...(condition && { Condition: condition }),
});

/** The Arn of a log group ends in `:*`: it names the streams in this group. */
const logs = ({ logicalId }) => allow(['logs:CreateLogStream', 'logs:PutLogEvents'], arn(`${logicalId}LogGroup`));
const deadLetters = ({ logicalId }) => allow(['sqs:SendMessage'], arn(`${logicalId}DeadLetters`));

const WRITE = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

/** Secrets of clusters outside EKS; a name instead of an ARN gets the six characters that Secrets Manager appends. */
const secretsOf = (clusters) => {
  const named = Object.values(clusters).flatMap(({ tokenSecret }) => tokenSecret ?? []);
  return named.map((name) =>
    name.startsWith('arn:')
      ? name
      : { 'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????` },
  );
};

/** Names of what does not exist yet are the only open ends: texts and pins in the bucket, schedules in the group. */
const remediationStatements = (deployed, { clusters, key }) => {
  const secrets = secretsOf(clusters);
  return [
    logs(deployed),
    allow(['events:PutEvents'], arn('Bus'), { StringEquals: { 'events:source': 'kubemend' } }),
    deadLetters(deployed),
    allow(['dynamodb:GetItem', 'dynamodb:Query', ...WRITE], arn('Table')),
    // Modes and the pause are people's: no function can put itself into auto.
    {
      Effect: 'Deny',
      Action: WRITE,
      Resource: arn('Table'),
      Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': ['settings'] } },
    },
    allow(['sqs:SendMessage'], arn('Appointments')),
    allow(['scheduler:CreateSchedule'], {
      'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/\${AppointmentsGroup}/*`,
    }),
    allow(['iam:PassRole'], arn('AppointmentsRole'), { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } }),
    allow(['s3:GetObject', 's3:PutObject'], [{ 'Fn::Sub': `\${Artifacts.Arn}/texts/*` }, { 'Fn::Sub': `\${Artifacts.Arn}/pins/*` }]),
    // Without it S3 answers "forbidden" for what is not there.
    allow(['s3:ListBucket'], arn('Artifacts')),
    ...(secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : []),
    ...(key ? [allow(['kms:Decrypt', 'kms:GenerateDataKey'], key)] : []),
  ];
};

const continueStatements = (deployed, { remediations, key }) => [
  logs(deployed),
  deadLetters(deployed),
  allow(['dynamodb:GetItem', 'dynamodb:Query'], [arn('Table'), { 'Fn::Sub': `\${Table.Arn}/index/by-update` }]),
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'], arn('Appointments')),
  allow(
    ['lambda:InvokeFunction'],
    remediations.map(({ logicalId }) => arn(`${logicalId}LambdaFunction`)),
  ),
  ...(key ? [allow(['kms:Decrypt', 'kms:GenerateDataKey'], key)] : []),
];

const role = (description, statements) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    Description: description,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [{ PolicyName: 'function', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const remediations = await deployedFunctions(stage);
  const last = continueFunction(stage);
  const given = {
    remediations,
    clusters: JSON.parse(process.env.KUBEMEND_CLUSTERS || '{}'),
    key: process.env.KUBEMEND_KMS_KEY || undefined,
  };
  return {
    Resources: Object.fromEntries([
      ...remediations.map((one) => [`${one.logicalId}Role`, role(`kubemend ${one.remediation.name}`, remediationStatements(one, given))]),
      [`${last.logicalId}Role`, role('kubemend continue-incident', continueStatements(last, given))],
    ]),
    Outputs: Object.fromEntries(
      remediations.map(({ logicalId, remediation }) => [
        `${logicalId}RoleArn`,
        { Description: `For the EKS access entry of ${remediation.name}`, Value: arn(`${logicalId}Role`) },
      ]),
    ),
  };
};

// For the functions of Slack.
Object.assign(module.exports, { arn, allow, logs, deadLetters, role });
