import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { incidentBackupPrefix } from '../../shared/artifacts/artifacts.ts';
import { s3Bucket } from '../../shared/artifacts/bucket.ts';
import { S3Artifacts } from '../../shared/artifacts/s3.ts';
import { incident } from '../../shared/state/contract.ts';
import { OVERALL, objectScope } from '../../shared/state/scope.ts';
import type { State } from '../../shared/state/state.ts';
import { type RoleProxy, startRoleProxies } from './as-role.ts';
import { clientOptions, type Moto, startMoto } from './moto.ts';
import { createStateTable, dynamoClient, stateOn } from './state-table.ts';

// The stores that the functions use, each call first decided by a simulation of the function's role.

const [OWN, OTHER] = ['strimzi/upgrade-stale-crds', 'kubero/slow-release-storm'];
let moto: Moto;
let roles: Map<string, RoleProxy>;
let direct: DynamoDBClient;
let table: string;
let clients: DynamoDBClient[];
let bucket: string;
let s3: S3Client;
let made = 0;

beforeAll(async () => {
  moto = await startMoto();
  roles = await startRoleProxies(moto.endpoint);
  direct = dynamoClient(moto.endpoint);
  s3 = new S3Client({ ...clientOptions(moto.endpoint), forcePathStyle: true });
  clients = [];
}, 180_000);
afterAll(async () => {
  for (const client of [direct, s3, ...clients]) client.destroy();
  await Promise.all([...roles.values()].map((role) => role.stop()));
  await moto.stop();
});
beforeEach(async () => {
  table = await createStateTable(direct);
  bucket = `as-role-${++made}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  for (const { denied } of roles.values()) denied.length = 0;
});

const roleOf = (name: string): RoleProxy => roles.get(name) as RoleProxy;

/** The table as the role of `as` reaches it; `own`: the remediation that it says it is. */
function stateAs(as: string, own: string | null = as): State {
  const client = dynamoClient(roleOf(as).endpoint);
  clients.push(client);
  return stateOn(client, table, own === null ? {} : { own });
}
const artifactsAs = (as: string): S3Artifacts => {
  const { credentials } = clientOptions(moto.endpoint);
  const options = { name: bucket, region: 'eu-west-1', credentials: () => credentials, wait: async () => undefined };
  return new S3Artifacts({ bucket: s3Bucket({ ...options, endpoint: roleOf(as).endpoint }) });
};
const keysOf = async (): Promise<unknown[]> =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key);
const of = (remediation: string, over = {}) => incident({ remediation, key: `${remediation}/prod/uid-1`, id: 'abcd00000000', ...over });

it('A role suffices for everything that its function asks of the table and the bucket', async () => {
  const state = stateAs(OWN);
  const one = of(OWN);
  const scopes = [objectScope(one.key), `remediation/${OWN}/prod`, OVERALL];
  expect(await state.save(one, 0)).toBe(true);
  expect(await state.save({ ...one, revision: 2 }, 1)).toBe(true);
  expect([(await state.load('abcd'))?.revision, (await state.latest(one.key))?.revision]).toEqual([2, 2]);
  expect(await state.setting('paused')).toBeUndefined();
  for (const lease of [
    `incident/${OWN}/${one.id}`,
    'target/apiextensions.k8s.io/customresourcedefinitions/prod//kafkas.kafka.strimzi.io',
  ]) {
    expect(await state.lease(lease, 'me', 1_000, 0)).toBe(true);
    await state.release(lease, 'me');
  }
  for (const scope of scopes) {
    expect(await state.spend({ scope, execution: 'e', at: 1_000, since: 0, limit: 1 })).toBe(true);
    await state.tally(scope, one.id);
    expect(await state.tallied(scope)).toBe(1);
  }
  // Another one sees what is shared, and counts with it.
  const other = stateAs(OTHER);
  expect(await other.spend({ scope: OVERALL, execution: 'f', at: 1_000, since: 0, limit: 1 })).toBe(false);
  expect(await other.tallied(OVERALL)).toBe(1);
  const artifacts = artifactsAs(OWN);
  const { sha256 } = await artifacts.put(`${incidentBackupPrefix(one)}h-0`, 'before');
  expect(await artifacts.get(`${incidentBackupPrefix(one)}h-0`, sha256)).toBe('before');
  expect(await artifacts.describe('strimzi/0.45.2')).toBeUndefined();
  const continuing = stateAs('kubemend/continue-incident', null);
  expect((await continuing.load(one.id))?.revision).toBe(2);
  expect(await continuing.left({ touched: 1, due: 1 })).toEqual([]);
  expect([...roles.values()].flatMap(({ denied }) => denied)).toEqual([]);
});

it('A stolen role replaces no document that another function applies, and no backup of another', async () => {
  const stolen = artifactsAs(OTHER);
  await expect(stolen.put('strimzi/0.43.0', 'a CRD that drops everything')).rejects.toThrow('403 AccessDenied');
  await expect(stolen.put(`${incidentBackupPrefix(of(OWN))}h-0`, 'forged')).rejects.toThrow('403 AccessDenied');
  await expect(artifactsAs(OWN).put('strimzi/0.43.0', 'a CRD that drops everything')).rejects.toThrow('403 AccessDenied');
  expect(await keysOf()).toEqual([]);
});

it.each<[string, (state: State) => Promise<unknown>]>([
  ['approve a plan of another remediation', (state) => state.save(of(OWN, { revision: 2, state: 'confirmed' }), 1)],
  ['read an incident of another remediation', (state) => state.latest(of(OWN).key)],
  ['switch a remediation to auto', (state) => state.set(`mode/${OWN}`, 'auto')],
  ['end a pause', (state) => state.set('paused', undefined)],
  ['close a breaker', (state) => state.reset(OVERALL)],
  ['count for another remediation', (state) => state.tally(`remediation/${OWN}/prod`, 'x')],
  [
    'spend for another remediation',
    (state) => state.spend({ scope: `remediation/${OWN}/prod`, execution: 'x', at: 1, since: 0, limit: 9 }),
  ],
  ['lease a Secret', (state) => state.lease('target//secrets/prod/ns/name', 'me', 1_000, 0)],
  ['lease what is sent to Slack', (state) => state.lease('slack/sender', 'me', 1_000, 0)],
  ['list all incidents', (state) => state.list()],
])('A stolen role cannot %s, whatever it says it is, and nothing changes', async (_, attack) => {
  const truth = stateOn(direct, table, { own: OWN });
  await truth.save(of(OWN), 0);
  await truth.set('paused', 'by Ann');
  await truth.tally(OVERALL, 'abcd00000000');
  await expect(async () => attack(stateAs(OTHER, OWN))).rejects.toThrow('AccessDenied');
  expect(roleOf(OTHER).denied).toHaveLength(1);
  expect(await truth.latest(of(OWN).key)).toEqual(of(OWN));
  expect([await truth.settings(), await truth.tallies()]).toEqual([{ paused: 'by Ann' }, { [OVERALL]: 1 }]);
  const Key = { pk: { S: `budget/${OWN}` }, sk: { S: `remediation/${OWN}/prod` } };
  expect((await direct.send(new GetItemCommand({ TableName: table, Key }))).Item).toBeUndefined();
});
