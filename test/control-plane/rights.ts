import { setTimeout as delay } from 'node:timers/promises';
import { type AdmissionObject, admissionPolicies } from '../../infra/kubernetes/admission.ts';
import { identityOf, type RbacObject, type Reach, remediationRbac } from '../../infra/kubernetes/rbac.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import type { Remediation } from '../../shared/remediation.ts';
import type { Admin } from './admin.ts';

/** Creates RBAC objects and admission policies, as `kubectl apply` of what `kubemend rights` prints would. */
export async function install(admin: Admin, objects: (RbacObject | AdmissionObject)[]): Promise<void> {
  for (const object of objects) {
    const { namespace } = object.metadata as { namespace?: string };
    const within = namespace === undefined ? '' : `namespaces/${namespace}/`;
    const plural = object.kind.endsWith('y') ? object.kind.replace(/y$/, 'ies') : `${object.kind}s`;
    await admin.create(`/apis/${object.apiVersion}/${within}${plural.toLowerCase()}`, { ...object });
  }
}

/** Gives every remediation its generated roles and policy, and waits until the API server enforces all of them. */
export async function grantAll(
  admin: Admin,
  remediations: Remediation[],
  reach: Omit<Reach, 'subject'>,
  connect: (identity: string) => Connection,
): Promise<void> {
  await install(admin, [...admissionPolicies(remediations), ...remediations.flatMap((one) => remediationRbac(one, reach))]);
  await Promise.all(remediations.map(({ name }) => untilEnforced(connect(identityOf(name)), reach.namespaces?.[0])));
}

/** Resolves when the API server refuses an identity an Event that its policy forbids and its role allows: a policy takes effect about 3 s after it is created. */
export async function untilEnforced(connection: Connection, namespace = 'default', within = 60_000): Promise<void> {
  const transport = new Transport(connection);
  const event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { generateName: 'probe-', namespace },
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    ...{ type: 'Normal', reason: 'Probe', action: 'Probe', reportingController: 'example.com/probe', reportingInstance: 'probe' },
    regarding: { apiVersion: 'v1', kind: 'Namespace', name: namespace, ...(namespace !== 'default' && { namespace }) },
  };
  try {
    for (const deadline = Date.now() + within; ; await delay(50)) {
      const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events?dryRun=All`;
      const { status, body } = await transport.send({ method: 'POST', path, body: event });
      const { message = '' } = body as { message?: string };
      if (status === 403 && message.includes('ValidatingAdmissionPolicy')) return;
      if (Date.now() > deadline) throw new Error(`The admission policy is not enforced: ${status} ${message}`);
    }
  } finally {
    transport.close();
  }
}
