import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identityOf, type Pins, readOnly, remediationRbac } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { type Ask, CANNOT, canRead, canWrite, type Statement } from '../../infra/threat-model.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { Admin } from '../control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../control-plane/control-plane.ts';
import { install } from '../control-plane/rights.ts';
import { ABUSES } from './admission/abuses.ts';
import { NEEDED } from './admission/needed.ts';

let plane: ControlPlane;
let admin: Admin;
const remediations = await loadRemediations();
const shadowed = (name: string): string => `shadow/${name.replace('/', '-')}`;
const pins: Pins = Object.fromEntries(
  remediations.flatMap(({ rights }) => rights.flatMap(({ pinned }) => (pinned ? [[pinned, [{ namespace: 'kafka', name: 'named' }]]] : []))),
);

beforeAll(async () => {
  plane = await startControlPlane();
  admin = new Admin(plane.connection('admin', 'test'));
  await admin.create('/api/v1/namespaces', { metadata: { name: 'kafka' } });
  for (const one of remediations) {
    await install(admin, remediationRbac(one, { pins }));
    await install(admin, remediationRbac({ ...readOnly(one), name: shadowed(one.name) }, { pins }));
  }
  // The authorizer learns of roles a moment after they are created, in their order.
  const last = remediations.at(-1) as Remediation;
  const [first] = canRead(last, pins).filter(({ allowed }) => allowed);
  for (const deadline = Date.now() + 30_000; !(await may(shadowed(last.name), first?.asks[0] as Ask)); await delay(50))
    if (Date.now() > deadline) throw new Error('the roles do not take effect');
}, 120_000);
afterAll(async () => {
  admin?.close();
  await plane?.stop();
});

/** What the API server says that the token of a remediation may do. */
async function may(name: string, { verb, group, resource: path, name: object = '', namespace = '' }: Ask): Promise<boolean> {
  const [resource = '', subresource = ''] = path.split('/');
  const resourceAttributes = { verb, group, resource, subresource, name: object, namespace };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: identityOf(name), resourceAttributes },
  };
  return (await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review)).status?.allowed === true;
}

/** The sentences of a list that do not hold for a token. */
async function untrue(name: string, statements: Statement[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { text, asks, allowed } of statements)
    for (const ask of asks)
      if ((await may(name, ask)) !== allowed) wrong.push(`${text}: ${JSON.stringify(ask)} is ${allowed ? 'refused' : 'allowed'}`);
  return wrong;
}

describe.each(remediations.map((one) => [one.name, one] as const))('docs/threat-model.md about a stolen token of %s', (name, one) => {
  it('names everything it can read, with rights for shadow mode and for writing', async () => {
    expect(await untrue(shadowed(name), canRead(one, pins))).toEqual([]);
    expect(await untrue(name, canRead(one, pins))).toEqual([]);
  });

  it('grants no read of what was not named, with its data', async () => {
    const unnamed = canRead(one, {}).filter(({ allowed }) => !allowed);
    expect(await untrue(shadowed(name), unnamed)).toEqual([]);
    expect(await untrue(name, unnamed)).toEqual([]);
  });

  it('says that it changes nothing with rights for shadow mode, and which kinds it may send writes of otherwise', async () => {
    expect(await untrue(name, canWrite(one))).toEqual([]);
    const refused = canWrite(one).map((statement) => ({ ...statement, allowed: false }));
    expect(await untrue(shadowed(name), refused)).toEqual([]);
  });

  it('names what it can never do', async () => {
    expect(await untrue(shadowed(name), CANNOT)).toEqual([]);
    expect(await untrue(name, CANNOT)).toEqual([]);
  });

  it('lists only writes that are admitted, and claims only refusals that are tried: each kind of write is in both tables', () => {
    const verbs = { patch: 'PATCH', apply: 'PATCH', create: 'POST', delete: 'DELETE' };
    for (const { operation, resource } of one.writes) {
      for (const table of [NEEDED, ABUSES]) {
        const rows = table.filter(
          ([whose, , { method, path }]) => whose === name && method === verbs[operation] && path.includes(`/${resource}`),
        );
        expect({ operation, resource, rows: rows.length > 0 }).toEqual({ operation, resource, rows: true });
      }
    }
  });
});
