import { continueFunction } from '../infra/deployment.ts';

/** A request of somebody who stole a role: an action on a resource of the template (`Table`, `Artifacts/backups/x`) or on an ARN. */
export interface Request {
  action: string;
  on: string;
  /** The partitions that it names. */
  keys?: string[];
  context?: Record<string, string | string[]>;
}

/** What a stolen role can do, or cannot: one line of docs/threat-model-aws.md. */
export interface Threat {
  says: string;
  requests: Request[];
}

/** What can be said of one role. */
export interface Threats {
  can: Threat[];
  cannot: Threat[];
}

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'];

const onTable = (actions: string[], keys: string[], attributes?: string[]): Request[] =>
  actions.flatMap((action) =>
    keys.map((key) => ({
      ...{ action: `dynamodb:${action}`, on: 'Table', keys: [key] },
      ...(attributes && { context: { 'dynamodb:Attributes': attributes } }),
    })),
  );
const on = (action: string, ...resources: string[]): Request[] => resources.map((resource) => ({ action, on: resource }));
const said = (says: string, ...requests: Request[][]): Threat => ({ says, requests: requests.flat() });

const INDEX = 'Table/index/by-update';
const publishing = (...sources: string[]): Request[] => [{ action: 'events:PutEvents', on: 'Bus', context: { 'events:source': sources } }];
const IAM = [
  ...on('iam:PutRolePolicy', 'AppointmentsRole'),
  ...on('iam:AttachRolePolicy', 'AppointmentsRole'),
  ...on('sts:AssumeRole', 'AppointmentsRole'),
];
const CODE = on('lambda:UpdateFunctionCode', `${continueFunction('dev').logicalId}LambdaFunction`);
const SLACK = onTable(['GetItem', 'Query', ...WRITES], ['slack#letters', 'slack#pending', 'slack#settings', 'lease/slack/sender']);
const A_SECRET = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/slack/other-AbCd12';
const ELSEWHERE = said(
  'change a role, a policy or code, take another role, or read a secret that it was not given',
  ...[IAM, CODE, on('secretsmanager:GetSecretValue', A_SECRET)],
);
const WHOLE_TABLE = said('read the whole table at once', onTable(['Scan'], []), on('dynamodb:Scan', 'Table', INDEX));

/** Of the function of a remediation. `other` is another one; `writes` and `reads` are a kind that it may write, and one that it may not. */
export function actingThreats(own: { name: string; logicalId: string; kind: string }, other: { name: string; logicalId: string }): Threats {
  const { name, logicalId, kind } = own;
  const [operator] = name.split('/');
  const [mine, theirs] = [name, other.name].map((one) => [`incident/${one}/prod/uid-1`, `id/${one}`]) as [string[], string[]];
  const target = `lease/target/${kind}/prod/ns/name`;
  const acting = `${other.logicalId}LambdaFunction`;
  return {
    can: [
      said(
        'read and replace the incidents of its own remediation, with their plans and approvals',
        onTable(['GetItem', 'Query', 'PutItem'], mine),
      ),
      said('rewrite what its own remediation has spent', onTable(['PutItem'], [`budget/${name}`])),
      said(
        'record failures of its own remediation, which opens breakers, also the one that holds back every remediation',
        onTable(['PutItem'], [`breaker/${name}`], ['pk', 'sk']),
      ),
      said(
        'hold or release the lease of any object of a kind that it may write, so that another writer of that object waits, or does not wait',
        onTable(['PutItem', 'DeleteItem'], [target, `lease/incident/${name}/0123456789ab`]),
      ),
      said(
        'read the modes, the pauses, and what other remediations spent and failed at',
        onTable(['GetItem', 'Query'], ['settings', `budget/${other.name}`, `breaker/${other.name}`]),
      ),
      said(
        'read the documents that people added for its operator, and read and replace its own backups',
        on('s3:GetObject', `Artifacts/documents/${operator}/1.0.0.json`, `Artifacts/backups/${name}/a-b-0.json`),
        on('s3:PutObject', `Artifacts/backups/${name}/a-b-0.json`),
      ),
      said('see the names of all objects in the bucket', on('s3:ListBucket', 'Artifacts')),
      said('publish an outcome, also in the name of another remediation', publishing('kubemend')),
      said(
        'wake any incident, now or at a time',
        on('sqs:SendMessage', 'Appointments'),
        on('scheduler:CreateSchedule', 'arn:aws:scheduler:eu-west-1:123456789012:schedule/kubemend-dev-appointments/x'),
        [{ action: 'iam:PassRole', on: 'AppointmentsRole', context: { 'iam:PassedToService': 'scheduler.amazonaws.com' } }],
      ),
    ],
    cannot: [
      said('read or change an incident of another remediation', onTable(['GetItem', 'Query', ...WRITES], theirs)),
      said(
        'change what another remediation has spent or failed at',
        onTable(WRITES, [`budget/${other.name}`]),
        onTable(WRITES, [`breaker/${other.name}`], ['pk', 'sk']),
      ),
      said(
        'take back a failure that was recorded, not even its own, nor let one expire',
        onTable(WRITES.slice(1), [`breaker/${name}`], ['pk', 'sk']),
        onTable(['PutItem'], [`breaker/${name}`], ['pk', 'sk', 'expires']),
        onTable(['PutItem'], [`breaker/${name}`]),
      ),
      said('change a mode or a pause', onTable(WRITES, ['settings'])),
      said('read or change what is kept for Slack', SLACK),
      said('delete an incident, or update one in place', onTable(['DeleteItem', 'UpdateItem'], mine)),
      said(
        'lease an object of a kind that it may not write, or the incident of another remediation',
        onTable(['PutItem', 'DeleteItem'], ['lease/target//secrets/prod/ns/name', `lease/incident/${other.name}/0123456789ab`]),
      ),
      said('list incidents', on('dynamodb:Query', INDEX)),
      said(
        'write to several partitions at once, one of which is not its own, or without naming any',
        [{ action: 'dynamodb:PutItem', on: 'Table', keys: [mine[0] ?? '', theirs[0] ?? ''] }],
        on('dynamodb:PutItem', 'Table'),
        on('dynamodb:Query', 'Table'),
        onTable(['BatchWriteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete'], mine),
      ),
      WHOLE_TABLE,
      said(
        'read, write or delete a backup of another remediation',
        ...['GetObject', 'PutObject', 'DeleteObject'].map((action) => on(`s3:${action}`, `Artifacts/backups/${other.name}/a-b-0.json`)),
      ),
      said(
        'add, replace or delete a document that a fix applies',
        ...['PutObject', 'DeleteObject', 'DeleteObjectVersion'].map((action) =>
          on(`s3:${action}`, `Artifacts/documents/${operator}/1.0.0.json`, `Artifacts/documents/other/1.0.0.json`),
        ),
        on('s3:PutObject', `Artifacts/pins/${operator}/1.0.0.json`, 'Artifacts/texts/x.gz'),
      ),
      said(
        'delete any object of the bucket, or an older version of it',
        on('s3:DeleteObject', `Artifacts/backups/${name}/a-b-0.json`),
        on('s3:DeleteObjectVersion', `Artifacts/backups/${name}/a-b-0.json`),
        on('s3:PutBucketVersioning', 'Artifacts'),
      ),
      said('put a fact on the bus', publishing('kubernetes'), publishing('kubemend', 'kubernetes'), publishing('else')),
      said(
        'call a function, or read the queue of appointments',
        on('lambda:InvokeFunction', acting, `${logicalId}LambdaFunction`),
        on('sqs:ReceiveMessage', 'Appointments'),
        on('sqs:DeleteMessage', 'Appointments'),
      ),
      said(
        'hand a role to anything but EventBridge Scheduler',
        [{ action: 'iam:PassRole', on: 'AppointmentsRole', context: { 'iam:PassedToService': 'lambda.amazonaws.com' } }],
        [{ action: 'iam:PassRole', on: `${other.logicalId}Role`, context: { 'iam:PassedToService': 'scheduler.amazonaws.com' } }],
      ),
      ELSEWHERE,
    ],
  };
}

const ANY = ['incident/a/b/prod/uid-1', 'id/a/b'];
const COUNTS = ['budget/a/b', 'breaker/a/b'];
const IN_BUCKET = [
  ...on('s3:GetObject', 'Artifacts/backups/a/b/c.json'),
  ...on('s3:PutObject', 'Artifacts/documents/a/1.json'),
  ...on('s3:ListBucket', 'Artifacts'),
];
const ON_BUS = [...publishing('kubemend'), ...publishing('kubernetes')];
const NOT_ITS_BUSINESS = said('read or write the bucket, or put anything on the bus', IN_BUCKET, ON_BUS);

/** Of kubemend/continue-incident. */
export const continueThreats = (acting: string): Threats => ({
  can: [
    said('read every incident', onTable(['GetItem', 'Query'], ANY), on('dynamodb:Query', INDEX)),
    said(
      'take and put appointments',
      ...['ReceiveMessage', 'DeleteMessage', 'SendMessage'].map((action) => on(`sqs:${action}`, 'Appointments')),
    ),
    said('call the function of every remediation, with any fact', on('lambda:InvokeFunction', acting)),
  ],
  cannot: [
    said('write anything into the table', onTable(WRITES, [...ANY, ...COUNTS, 'settings', 'lease/incident/a/b/c'])),
    said('read the modes, the counts, or what is kept for Slack', onTable(['GetItem', 'Query'], ['settings', ...COUNTS]), SLACK),
    WHOLE_TABLE,
    NOT_ITS_BUSINESS,
    ELSEWHERE,
  ],
});

/** Of kubemend/notify-slack. */
export const notifyThreats = (acting: string): Threats => ({
  can: [
    said('read every incident', on('dynamodb:Query', INDEX)),
    said(
      'change what is kept for Slack',
      onTable(['GetItem', 'Query', 'PutItem', 'DeleteItem'], ['slack#letters', 'slack#pending', 'slack#settings']),
    ),
  ],
  cannot: [
    said('change an incident, a count, a mode or a pause', onTable(WRITES, [...ANY, ...COUNTS, 'settings', 'lease/incident/a/b/c'])),
    WHOLE_TABLE,
    said('wake an incident, or call a function', on('sqs:SendMessage', 'Appointments'), on('lambda:InvokeFunction', acting)),
    NOT_ITS_BUSINESS,
    ELSEWHERE,
  ],
});

/** Of kubemend/answer-slack, which anybody on the internet can call. */
export const answerThreats = (acting: string): Threats => ({
  can: [
    said(
      'read and replace every incident: approve any plan, where the mode and the pauses allow it',
      onTable(['GetItem', 'Query', 'PutItem'], ANY),
    ),
    said('read the modes and the pauses', onTable(['GetItem', 'Query'], ['settings'])),
    said('wake any incident', on('sqs:SendMessage', 'Appointments')),
  ],
  cannot: [
    said('change a mode or a pause', onTable(WRITES, ['settings'])),
    said('change a budget, a breaker or a lease of an object', onTable(WRITES, [...COUNTS, 'lease/target//pods/prod/ns/name'])),
    said('delete an incident', onTable(['DeleteItem'], ANY)),
    said('list incidents', on('dynamodb:Query', INDEX)),
    said('read or change what is kept for Slack', SLACK),
    WHOLE_TABLE,
    said('call a function', on('lambda:InvokeFunction', acting)),
    NOT_ITS_BUSINESS,
    ELSEWHERE,
  ],
});

/** Of EventBridge Scheduler. */
export const schedulerThreats = (acting: string): Threats => ({
  can: [said('wake any incident', on('sqs:SendMessage', 'Appointments'))],
  cannot: [
    said('read or write the table', onTable(['GetItem', ...WRITES], [...ANY, ...COUNTS, 'settings']), SLACK),
    said('call a function', on('lambda:InvokeFunction', acting)),
    NOT_ITS_BUSINESS,
    ELSEWHERE,
  ],
});
