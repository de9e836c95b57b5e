import { expect, it } from '@jest/globals';
import { type Statement, statementsOf } from './packaged-service.ts';
import type { Resources } from './template-dead-letters.ts';
import { type Given, problemsOfTemplate } from './template-problems.ts';

type Mutate = (resources: Resources) => void;
type Row = [what: string, mutate: Mutate, problem: string];

const [ACTING, CONTINUE] = ['StrimziDashupgradeDashstaleDashcrds', 'KubemendDashcontinueDashincident'];
const MAPPING = `${CONTINUE}EventSourceMappingSQSAppointments`;
const RULE = 'Kubemenddevstrimziupgradestalecrdsrule1EventBridgeRule';

/** Sets what stands at a path below the resources, or removes it. Throws where there is nothing. */
const set =
  (path: string, value?: unknown): Mutate =>
  (resources) => {
    const steps = path.split('/');
    const last = steps.pop() ?? '';
    const parent = steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], resources);
    if (typeof parent !== 'object' || parent === null || !(last in parent)) throw new Error(`The template has no ${path}`);
    if (value === undefined) delete (parent as Record<string, unknown>)[last];
    else Object.assign(parent, { [last]: value });
  };

/** The same for one property of a resource. */
const property = (id: string, path: string, value?: unknown): Mutate => set(`${id}/Properties/${path}`, value);
const variable = (id: string, name: string, value?: unknown): Mutate =>
  property(`${id}LambdaFunction`, `Environment/Variables/${name}`, value);

/** Changes each statement of all roles that has an action. */
const statements =
  (action: string, change: (one: Statement) => Partial<Statement>): Mutate =>
  (resources) => {
    const roles = Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
    const found = roles
      .flatMap(({ Properties }) => statementsOf(Properties.Policies))
      .filter(({ Action }) => [Action].flat().includes(action));
    if (found.length === 0) throw new Error(`No role has ${action}`);
    for (const one of found) Object.assign(one, change(one));
  };
const stranger = { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/somebody` };

/** On the template of a deployment with every setting. */
const ROWS: Row[] = [
  ['a rule does not try again', property(RULE, 'Targets/0/RetryPolicy/MaximumRetryAttempts', 0), 'does not try again'],
  ['a rule tries for four hours', property(RULE, 'Targets/0/RetryPolicy/MaximumEventAgeInSeconds', 14_400), 'longer than an hour'],
  ['Lambda does not try again', property(`${ACTING}LambdaEvConf`, 'MaximumRetryAttempts', 0), 'Lambda does not try'],
  ['Lambda tries for six hours', property(`${ACTING}LambdaEvConf`, 'MaximumEventAgeInSeconds', 21_600), 'Lambda tries'],
  ['what a function fails at is dropped', property(`${ACTING}LambdaEvConf`, 'DestinationConfig', {}), 'is lost'],
  ['the queue may take every concurrency', property(MAPPING, 'ScalingConfig/MaximumConcurrency', 1_000), 'all the concurrency'],
  ['the queue has no limit of concurrency', property(MAPPING, 'ScalingConfig'), 'all the concurrency'],
  ['batches fail as a whole', property(MAPPING, 'FunctionResponseTypes', []), 'repeats the whole batch'],
  ['the one that waits gives up first', property(`${CONTINUE}LambdaFunction`, 'Timeout', 20), 'may work longer than it'],
  ['a function may work for minutes', property(`${ACTING}LambdaFunction`, 'Timeout', 300), 'may work longer than it'],
  ['a message comes again too early', property('Appointments', 'VisibilityTimeout', 15), 'comes again while'],
  ['a look is given up at once', property('Appointments', 'RedrivePolicy/maxReceiveCount', 1), 'is given up after'],
  ['a look that is given up is gone', property('Appointments', 'RedrivePolicy'), 'has no dead-letter queue'],
  ['a look is forgotten in an hour', property('Appointments', 'MessageRetentionPeriod', 3_600), 'is forgotten before'],
  ['the table is not encrypted', property('Table', 'SSESpecification', { SSEEnabled: false }), 'Table is encrypted with a key of AWS'],
  ['the table names the key and does not use it', property('Table', 'SSESpecification/SSEType', 'AES256'), 'Table is encrypted with'],
  ['the bucket has a key of AWS', property('Artifacts', 'BucketEncryption'), 'Artifacts is encrypted with'],
  ['the queue has a key of AWS', property('Appointments', 'KmsMasterKeyId'), 'Appointments is encrypted with'],
  ['the bus has a key of AWS', property('Bus', 'KmsKeyIdentifier'), 'Bus is encrypted with'],
  ['the archive has a key of AWS', property('BusArchive', 'KmsKeyIdentifier'), 'BusArchive is encrypted with'],
  ['EventBridge cannot write dead letters', property(`${ACTING}DeadLetters`, 'SqsManagedSseEnabled', false), 'is not encrypted'],
  ['no role may use the key', statements('kms:Decrypt', () => ({ Action: [] })), 'may not kms:Decrypt and kms:GenerateDataKey'],
  ['roles may only read with the key', statements('kms:Decrypt', () => ({ Action: ['kms:Decrypt'] })), 'may not kms:GenerateDataKey'],
  ['roles may use another key', statements('kms:Decrypt', () => ({ Resource: 'arn:aws:kms:eu-west-1:1:key/2' })), 'may not kms:Decrypt'],
  ['roles may do everything with the key', statements('kms:Decrypt', () => ({ Action: ['kms:*'] })), 'allows ["kms:*"]'],
  ['roles may use all keys', statements('kms:Decrypt', () => ({ Resource: '*' })), 'on "*"'],
  ['roles may read all secrets', statements('secretsmanager:GetSecretValue', () => ({ Resource: ['*'] })), 'on "*"'],
  ["a function's code may make interfaces", statements('ec2:DescribeSubnets', () => ({ Effect: 'Allow' })), 'ec2:CreateNetworkInterface'],
  [
    'roles may put everything on the bus',
    statements('events:PutEvents', () => ({ Condition: undefined })),
    'may put what is of "kubernetes"',
  ],
  ['roles may put nothing on the bus', statements('events:PutEvents', () => ({ Effect: 'Deny' })), 'may not put what is of "kubemend"'],
  [
    'the Deny of the bus is about another source',
    property('OnlyFunctionsTellOutcomes', 'Statement/Condition/ForAnyValue:StringEquals/events:source', 'kubemende'),
    'may put what is of "kubemend"',
  ],
  ['the Deny of the bus allows', property('OnlyFunctionsTellOutcomes', 'Statement/Effect', 'Allow'), 'may put what is of "kubemend"'],
  [
    'the Deny of the bus spares somebody else',
    property('OnlyFunctionsTellOutcomes', 'Statement/Condition/ArnNotEquals/aws:PrincipalArn', [stranger]),
    'may not put what is of "kubemend"',
  ],
  ['functions may write every partition', statements('dynamodb:PutItem', () => ({ Condition: undefined })), 'change a mode or a pause'],
  [
    'functions may write where no partition is named',
    statements('dynamodb:PutItem', ({ Condition }) => ({ Condition: { ...(Condition as object), Null: {} } })),
    'or without naming any',
  ],
  [
    'functions may read every partition',
    statements('dynamodb:GetItem', () => ({ Condition: undefined })),
    'read or change an incident of another remediation',
  ],
  ['functions may read the index', statements('dynamodb:GetItem', () => ({ Resource: ['*'], Condition: undefined })), 'list incidents'],
  ['failures can be deleted', statements('dynamodb:DeleteItem', () => ({ Effect: 'Allow', Condition: undefined })), 'take back a failure'],
  [
    'failures can expire',
    statements('dynamodb:PutItem', ({ Condition }) => ({
      Condition: JSON.parse(JSON.stringify(Condition).replace('"sk"', '"sk","expires"')),
    })),
    'nor let one expire',
  ],
  [
    'functions may write documents',
    statements('s3:PutObject', () => ({ Resource: [{ 'Fn::Sub': `\${Artifacts.Arn}/*` }] })),
    'add, replace or delete a document that a fix applies',
  ],
  [
    'functions may write the backups of others',
    statements('s3:PutObject', () => ({ Resource: [{ 'Fn::Sub': `\${Artifacts.Arn}/backups/*` }] })),
    'read, write or delete a backup of another remediation',
  ],
  ['functions may write nothing', statements('s3:PutObject', () => ({ Effect: 'Deny' })), 'cannot s3:PutObject on Artifacts/backups'],
  ['exporters may put anything else', property('ExportersPutFacts', 'Statement/Condition', {}), 'may put what is of "else"'],
  ['everybody is an exporter', property('ExportersPutFacts', 'Statement/Principal', '*'), 'a-stranger may put'],
  ['exporters may not put facts', set('ExportersPutFacts'), 'may not put what is of "kubernetes"'],
  ['the archive keeps nothing', property('BusArchive', 'EventPattern/source', ['nothing']), 'does not keep what is of "kubernetes"'],
  ['the archive keeps no outcomes', property('BusArchive', 'EventPattern/source', ['kubernetes']), 'does not keep what is of "kubemend"'],
  ['an alarm waits for a million', property('IncidentsFailed', 'Threshold', 1e6), 'IncidentsFailed does not fire'],
  ['an alarm is the wrong way round', property('BreakerOpened', 'ComparisonOperator', 'LessThanThreshold'), 'BreakerOpened does not fire'],
  ['an alarm always fires', property(`${ACTING}Errors`, 'Threshold', -1), 'fires at 0'],
  ['an alarm wants it twice', property('IncidentsFailed', 'EvaluationPeriods', 2), 'when it happens once'],
  ['an alarm looks back for a day', property(`${ACTING}DeadLettersAlarm`, 'Period', 86_400), 'further back than an hour'],
  ['an alarm stays on', property('AppointmentsLate', 'TreatMissingData', 'ignore'), 'does not end'],
  ['an alarm takes the minimum', property(`${ACTING}DeadLettersAlarm`, 'Statistic', 'Minimum'), 'takes the Minimum'],
  ['an alarm leaves one out', property('IncidentsFailed', 'Metrics/0/Expression', 'FILL(m1, 0)'), 'IncidentsFailed does not fire'],
  ['late is after 50 days', property('AppointmentsLate', 'Threshold', 4_500_000), 'AppointmentsLate does not fire'],
  ['late is what is in time', property('AppointmentsLate', 'Threshold', 600), 'AppointmentsLate fires at 900'],
  ['the bucket keeps no versions', property('Artifacts', 'VersioningConfiguration/Status', 'Suspended'), 'cannot be had back'],
  ['the bucket may be public', property('Artifacts', 'PublicAccessBlockConfiguration/BlockPublicAcls', false), 'may be made public'],
  ['the table has no recovery', property('Table', 'PointInTimeRecoverySpecification'), 'cannot be had back'],
  ['the table goes with the stack', set('Table/DeletionPolicy', 'Delete'), 'is deleted with the stack'],
  [
    'looks go to the dead letters',
    variable(ACTING, 'KUBEMEND_QUEUE_ARN', { 'Fn::GetAtt': ['AppointmentsDeadLetters', 'Arn'] }),
    'queueArn',
  ],
  ['a function has no schedule group', variable(ACTING, 'KUBEMEND_SCHEDULE_GROUP'), 'lacks KUBEMEND_SCHEDULE_GROUP'],
  ['a function has another bucket', variable(ACTING, 'KUBEMEND_BUCKET', { Ref: 'ServerlessDeploymentBucket' }), 'finds bucket'],
  ['a function has limits that are none', variable(ACTING, 'KUBEMEND_LIMITS', '{"stabelFor":"60s"}'), 'KUBEMEND_LIMITS'],
  ['another stage is continued', variable(CONTINUE, 'KUBEMEND_FUNCTIONS', 'kubemend-prod-'), 'finds functions "kubemend-prod-"'],
  ['what takes clicks has another queue', variable('KubemendDashanswerDashslack', 'KUBEMEND_QUEUE', 'q'), 'finds queue "q"'],
  ['what tells Slack has no table', variable('KubemendDashnotifyDashslack', 'KUBEMEND_TABLE'), 'lacks KUBEMEND_TABLE'],
];

/** The tests that the checks of a template notice what could go wrong with it: `packaged` is one with every setting. */
export function describeMutations(packaged: () => { resources: Resources } & Given): void {
  it.each(ROWS)('would notice if %s', async (_, mutate, problem) => {
    const { resources, ...given } = packaged();
    const mutated = structuredClone(resources);
    mutate(mutated);
    expect((await problemsOfTemplate(mutated, given)).join('\n')).toContain(problem);
  });
}
