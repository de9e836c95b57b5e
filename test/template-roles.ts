import { expect, it } from '@jest/globals';
import type { AwsRole } from '../bin/aws-rights.ts';
import type { Call } from '../bin/verb.ts';
import { verb } from '../bin/verbs/rights.ts';
import { fromSource } from '../infra/statements.ts';
import type { Remediation } from '../shared/remediation.ts';
import { TABLE_SCHEMA } from '../shared/state/dynamodb-table.ts';
import { attributeOf, type PackagedService, type Statement, statementsOf } from './packaged-service.ts';

/** The one function without a remediation. */
export const CONTINUE = 'kubemend/continue-incident';
/** Its key in serverless.yml. */
export const keyOf = (name: string): string => name.replace('/', '-');

const logicalIdOf = (name: string): string => `${name.charAt(0).toUpperCase()}${keyOf(name).slice(1)}`.replaceAll('-', 'Dash');
/** What a policy's resource names: logical ids, or the text of a Fn::Sub. */
const namesIn = (resource: unknown): string[] =>
  [resource]
    .flat()
    .map((one) => (typeof one === 'string' ? one : ((one as Record<string, string>)['Fn::Sub'] ?? attributeOf(one))) as string);

/** The name that the template gives to what a policy is about; of what CloudFormation names, the logical id in its way of writing. */
function nameOf({ resources }: PackagedService, wanted: string): string {
  const id = /\$\{(?!AWS::)(\w+)/.exec(wanted)?.[1] ?? wanted;
  // Somebody else's, by the ARN that was given or the end of it.
  if (!(id in resources)) return wanted.split('}:').at(-1) ?? wanted;
  const { Name, TableName, QueueName, LogGroupName, FunctionName } = resources[id]?.Properties ?? {};
  const name = (Name ?? TableName ?? QueueName ?? LogGroupName ?? FunctionName) as string | undefined;
  return name ?? `kubemend-dev-${resources[id]?.Type === 'AWS::S3::Bucket' ? id.toLowerCase() : id}-`;
}

/** `Fn::Sub` of what is the same everywhere is its text. */
const asText = (_: string, value: unknown): unknown =>
  (value as Record<string, string> | null)?.['Fn::Sub']?.replace(/\$\{(AWS::\w+)\}/g, '$1') ?? value;

/** What `kubemend rights --aws` prints with these variables of a deployment is what the roles of its template are. */
export async function isAsPrinted(service: PackagedService, variables: Record<string, string> = {}): Promise<void> {
  const printed: string[] = [];
  const call = {
    values: { aws: true, stage: 'dev', region: 'R', account: 'A' },
    positionals: [],
    json: true,
    environment: { deployment: variables },
  };
  await verb.run({ ...call, out: (line = '') => void printed.push(line), err: () => undefined } as unknown as Call);
  const { roles } = JSON.parse(printed.join('')) as { roles: AwsRole[] };
  const made = service.ofType('AWS::IAM::Role');
  expect(roles.map(({ role }) => role).sort()).toEqual(made.map(([id]) => id).sort());
  for (const { role, service: has, policy } of roles) {
    const properties = made.find(([id]) => id === role)?.[1] ?? {};
    expect(JSON.stringify(properties.AssumeRolePolicyDocument)).toContain(`{"Service":"${has}"}`);
    const granted = statementsOf(properties.Policies);
    const here = (text: string) =>
      text.replaceAll('AWS::Partition', 'aws').replaceAll('AWS::Region', 'R').replaceAll('AWS::AccountId', 'A');
    const without = (statements: unknown[]) =>
      statements.map((one) => JSON.parse(here(JSON.stringify({ ...(one as object), Resource: undefined }, asText)))) as unknown[];
    expect(without(policy.Statement)).toEqual(without(granted));
    // Each ARN carries the name that the template gives to what it is of.
    const printedArns = (policy.Statement as Statement[]).flatMap(({ Resource }) => [Resource].flat() as string[]);
    const wanted = granted.flatMap(({ Resource }) => namesIn(Resource)).map((name) => nameOf(service, name));
    expect(printedArns).toEqual(wanted.map((name) => expect.stringContaining(name)));
  }
}

/** The kinds whose objects a function may lease, so that no other writes them meanwhile: those that it writes itself. */
const LEASED: Record<string, string[]> = {
  'kubeblocks/unstick-opsrequest': [
    ...['apps.kubeblocks.io/clusters', 'apps.kubeblocks.io/components', 'apps.kubeblocks.io/opsrequests'],
    'operations.kubeblocks.io/opsrequests',
  ],
  'kubero/slow-release-storm': ['application.kubero.dev/kuberopipelines'],
  'strimzi/delete-stale-migration-znode': ['/pods'],
  'strimzi/resume-ca-roll': ['/pods', 'core.strimzi.io/strimzipodsets'],
  'strimzi/upgrade-stale-crds': ['apiextensions.k8s.io/customresourcedefinitions'],
};
const CHANGE = ['UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'];

/** What the role of a remediation says of the table. */
function onTable(name: string): unknown[] {
  const within = (names: string[]) => ({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': names },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  });
  const touching = (names: string[]) => ({ 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': names } });
  const own = [`incident/${name}/*`, `id/${name}`];
  const leases = [`lease/incident/${name}/*`, ...(LEASED[name] ?? []).map((kind) => `lease/target/${kind}/*`)];
  const changing = CHANGE.map((action) => `dynamodb:${action}`);
  return [
    ['Allow', ['dynamodb:GetItem', 'dynamodb:Query'], ['Table'], within([...own, 'budget/*', 'breaker/*', 'settings'])],
    ['Allow', ['dynamodb:PutItem'], ['Table'], within([...own, `budget/${name}`, ...leases])],
    ['Allow', ['dynamodb:DeleteItem'], ['Table'], within(leases)],
    [
      ...['Allow', ['dynamodb:PutItem'], ['Table']],
      {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [`breaker/${name}`], 'dynamodb:Attributes': ['pk', 'sk'] },
        Null: { 'dynamodb:LeadingKeys': 'false', 'dynamodb:Attributes': 'false' },
      },
    ],
    ['Deny', ['dynamodb:PutItem', ...changing], ['Table'], touching(['settings'])],
    ['Deny', ['dynamodb:*'], ['Table'], touching(['slack#*', 'lease/slack*'])],
    ['Deny', changing, ['Table'], touching(['breaker/*'])],
  ];
}

/** The tests of what each role of the packaged template may do. */
export function describeRoles(packaged: () => { service: PackagedService; remediations: Remediation[] }): void {
  const granted = (id: string) => {
    const role = packaged()
      .service.ofType('AWS::IAM::Role')
      .find(([name]) => name === id)?.[1];
    return statementsOf(role?.Policies).map(({ Effect, Action, Resource, Condition }) => [Effect, Action, namesIn(Resource), Condition]);
  };

  it('grants each remediation what it does, and nothing else', () => {
    for (const { name } of packaged().remediations) {
      const own = logicalIdOf(name);
      expect(granted(`${own}Role`)).toEqual([
        ['Allow', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${own}LogGroup`], undefined],
        ['Allow', ['events:PutEvents'], ['Bus'], fromSource('kubemend')],
        ['Allow', ['sqs:SendMessage'], [`${own}DeadLetters`], undefined],
        ...onTable(name),
        ['Allow', ['sqs:SendMessage'], ['Appointments'], undefined],
        [
          'Allow',
          ['scheduler:CreateSchedule'],
          [`arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/\${AppointmentsGroup}/*`],
          undefined,
        ],
        ['Allow', ['iam:PassRole'], ['AppointmentsRole'], { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } }],
        [
          'Allow',
          ['s3:GetObject'],
          [`\${Artifacts.Arn}/backups/${name}/*`, `\${Artifacts.Arn}/documents/${name.split('/')[0]}/*`],
          undefined,
        ],
        ['Allow', ['s3:PutObject'], [`\${Artifacts.Arn}/backups/${name}/*`], undefined],
        ['Allow', ['s3:ListBucket'], ['Artifacts'], undefined],
      ]);
    }
  });

  it('grants what `kubemend rights --aws` prints before anything is installed', async () => {
    await isAsPrinted(packaged().service);
  });

  it('grants the one that continues no cluster, no bus and no write to the table', () => {
    const own = logicalIdOf(CONTINUE);
    expect(granted(`${own}Role`)).toEqual([
      ['Allow', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`${own}LogGroup`], undefined],
      ['Allow', ['sqs:SendMessage'], [`${own}DeadLetters`], undefined],
      [
        ...['Allow', ['dynamodb:GetItem', 'dynamodb:Query'], ['Table']],
        { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['incident/*', 'id/*'] }, Null: { 'dynamodb:LeadingKeys': 'false' } },
      ],
      ['Allow', ['dynamodb:Query'], [`\${Table.Arn}/index/by-update`], undefined],
      ['Allow', ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'], ['Appointments'], undefined],
      ['Allow', ['lambda:InvokeFunction'], packaged().remediations.map(({ name }) => `${logicalIdOf(name)}LambdaFunction`), undefined],
    ]);
    const [, { Environment } = {}] =
      packaged()
        .service.ofType('AWS::Lambda::Function')
        .find(([, { FunctionName }]) => FunctionName === `kubemend-dev-${keyOf(CONTINUE)}`) ?? [];
    expect(Object.keys((Environment as { Variables: object }).Variables)).toEqual([
      'KUBEMEND_TABLE',
      'KUBEMEND_QUEUE',
      'KUBEMEND_FUNCTIONS',
    ]);
  });

  it('lets EventBridge Scheduler put appointments into their queue, for this account only', () => {
    expect(granted('AppointmentsRole')).toEqual([['Allow', ['sqs:SendMessage'], ['Appointments', 'AppointmentsDeadLetters'], undefined]]);
    const { AssumeRolePolicyDocument: trust } = (packaged().service.resources.AppointmentsRole?.Properties ?? {}) as {
      AssumeRolePolicyDocument: unknown;
    };
    expect(statementsOf({ trust })[0]?.Condition).toEqual({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } });
  });

  it('keeps the table and the bucket when the stack is deleted, with recovery, expiry and no public access', () => {
    const { Table, Artifacts } = packaged().service.resources as Record<string, { DeletionPolicy?: string; Properties: unknown }>;
    expect([Table?.DeletionPolicy, Artifacts?.DeletionPolicy]).toEqual(['RetainExceptOnCreate', 'RetainExceptOnCreate']);
    expect(Table?.Properties).toMatchObject({
      ...TABLE_SCHEMA,
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    expect(Artifacts?.Properties).toMatchObject({
      PublicAccessBlockConfiguration: { RestrictPublicBuckets: true, BlockPublicPolicy: true },
    });
  });
}
