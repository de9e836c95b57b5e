import { backupPrefix } from '../shared/artifacts/artifacts.ts';
import { continueFunction, type DeployedFunction, type DeployedName, deployedFunctions } from './deployment.ts';
import { type DeploymentSettings, NO_SETTINGS } from './deployment-settings.ts';
import { slackPolicies } from './slack-policies.ts';
import { allow, arn, deadLetters, forKey, fromSource, inNetwork, inPartitions, logs, type PolicyStatement } from './statements.ts';
import { inTable } from './table-statements.ts';

/** What one role may do. */
export interface RolePolicy {
  /** Logical id of the role. */
  role: string;
  description: string;
  /** Who has it: `lambda.amazonaws.com`. */
  service: string;
  /** The function that has it, as in `kubemend-prod-strimzi-upgrade-stale-crds`, and its remediation. */
  functionName?: string;
  remediation?: string;
  statements: PolicyStatement[];
}

/** Secrets of clusters outside EKS; a name instead of an ARN gets the six characters that Secrets Manager appends. */
function secretsOf(named: string[]): unknown[] {
  const here = `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:`;
  return named.map((name) => (name.startsWith('arn:') ? name : { 'Fn::Sub': `${here}${name}-??????` }));
}

/** Reads the documents of its operator, and writes its own backups alone. What a fix applies is for a person to put there. */
function inBucket(remediation: string): PolicyStatement[] {
  const [operator] = remediation.split('/');
  const [backups, documents] = [`${backupPrefix(remediation)}*`, `documents/${operator}/*`].map((keys) => ({
    'Fn::Sub': `\${Artifacts.Arn}/${keys}`,
  }));
  return [
    allow(['s3:GetObject'], [backups, documents]),
    allow(['s3:PutObject'], [backups]),
    // Without it S3 answers "forbidden" for what is not there. S3 asks for it without a prefix then, so no condition can limit it.
    allow(['s3:ListBucket'], arn('Artifacts')),
  ];
}

/** Names of what does not exist yet are the only open ends: documents and backups in the bucket, schedules in the group. */
function remediationStatements(deployed: DeployedFunction, { tokenSecrets, key, network }: DeploymentSettings): PolicyStatement[] {
  const secrets = secretsOf(tokenSecrets);
  return [
    logs(deployed),
    allow(['events:PutEvents'], arn('Bus'), fromSource('kubemend')),
    deadLetters(deployed),
    ...inTable(deployed.remediation),
    allow(['sqs:SendMessage'], arn('Appointments')),
    allow(['scheduler:CreateSchedule'], {
      'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/\${AppointmentsGroup}/*`,
    }),
    allow(['iam:PassRole'], arn('AppointmentsRole'), { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } }),
    ...inBucket(deployed.remediation.name),
    ...(secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets)] : []),
    ...forKey(key),
    ...(network ? inNetwork(deployed) : []),
  ];
}

const continueStatements = (deployed: DeployedName, remediations: DeployedFunction[], { key }: DeploymentSettings): PolicyStatement[] => [
  logs(deployed),
  deadLetters(deployed),
  allow(['dynamodb:GetItem', 'dynamodb:Query'], arn('Table'), inPartitions(['incident/*', 'id/*'])),
  allow(['dynamodb:Query'], { 'Fn::Sub': `\${Table.Arn}/index/by-update` }),
  allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'], arn('Appointments')),
  allow(
    ['lambda:InvokeFunction'],
    remediations.map(({ logicalId }) => arn(`${logicalId}LambdaFunction`)),
  ),
  ...forKey(key),
];

/** Every role that is made, one per function and that of EventBridge Scheduler: the template's roles and `kubemend rights --aws` both come from here. */
export async function rolePolicies(stage: string, settings = NO_SETTINGS): Promise<RolePolicy[]> {
  const remediations = await deployedFunctions(stage);
  const last = continueFunction(stage);
  const service = 'lambda.amazonaws.com';
  return [
    ...remediations.map((one) => ({
      ...{ role: `${one.logicalId}Role`, description: `kubemend ${one.remediation.name}`, service },
      ...{ functionName: one.functionName, remediation: one.remediation.name, statements: remediationStatements(one, settings) },
    })),
    {
      ...{ role: `${last.logicalId}Role`, description: 'kubemend continue-incident', service, functionName: last.functionName },
      statements: continueStatements(last, remediations, settings),
    },
    ...slackPolicies(stage, settings),
    {
      ...{ role: 'AppointmentsRole', description: 'EventBridge Scheduler puts appointments into their queue' },
      service: 'scheduler.amazonaws.com',
      statements: [
        allow(['sqs:SendMessage'], [arn('Appointments'), arn('AppointmentsDeadLetters')]),
        ...(settings.key ? [allow(['kms:GenerateDataKey', 'kms:Decrypt'], settings.key)] : []),
      ],
    },
  ];
}
