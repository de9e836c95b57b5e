import { grantsOf } from '../../infra/kubernetes/rbac.ts';
import { pathOf } from '../../shared/kubernetes/object.ts';
import type { Transport } from '../../shared/kubernetes/transport.ts';
import type { Right } from '../../shared/remediation.ts';
import { type Finding, fine, unknown, wrong } from './finding.ts';

/** Who is to be asked about, and what it needs. */
export interface Identity {
  name: string;
  rights: Right[];
  transport: Transport;
  /** As `kubemend rights --namespace`: what is granted only there is asked about only there. */
  namespaces?: string[];
}

/** Asks the API server about every right of an identity, as that identity (SelfSubjectAccessReview: asks, changes nothing). Throws when no answer comes. */
export async function rightsFinding({ name, rights, transport, namespaces = [] }: Identity): Promise<Finding> {
  const check = `rights of ${name}`;
  const untestable = rights.filter((right) => grantsOf(right, { namespaces }).length === 0);
  const asks = rights
    .flatMap((right) => grantsOf(right, { namespaces }))
    .flatMap(({ right: { group, resources, verbs, names = [''] }, namespace }) =>
      resources.flatMap((resource) => verbs.flatMap((verb) => names.map((object) => ({ group, resource, verb, object, namespace })))),
    );
  const answers = await Promise.all(asks.map(async (ask) => ({ ask, ...(await mayI(transport, ask)) })));
  const refused = answers.find(({ status }) => status !== 201);
  if (refused)
    return unknown(
      check,
      `The API server answered ${refused.status}: ${refused.message}`,
      FIX[refused.status] ?? 'look into the log of the API server',
    );
  const lacking = answers
    .filter(({ allowed }) => !allowed)
    .map(
      ({ ask }) =>
        `${ask.verb} ${ask.resource}${ask.group && `.${ask.group}`}${ask.object && ` "${ask.object}"`}${ask.namespace ? ` in ${ask.namespace}` : ''}`,
    );
  if (lacking.length > 0)
    return wrong(check, `It lacks ${lacking.join(', ')}`, 'kubemend rights prints the roles: give them to this user, or apply the chart');
  const untested = untestable.length > 0 ? '; those on named Pods and Secrets only were not asked about' : '';
  return fine(check, `${asks.length} asked, all granted${untested}`);
}

const REVIEWS = { group: 'authorization.k8s.io', version: 'v1', resource: 'selfsubjectaccessreviews' };

interface Ask {
  group: string;
  resource: string;
  verb: string;
  object: string;
  namespace: string | undefined;
}

async function mayI(transport: Transport, { group, resource: path, verb, object: name, namespace }: Ask) {
  const [resource, subresource] = path.split('/');
  const resourceAttributes = {
    group,
    resource,
    verb,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(subresource && { subresource }),
  };
  const { status, body } = await transport.send({
    ...{ method: 'POST', path: pathOf(REVIEWS) },
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
  });
  const { message = '', status: review } = body as { message?: string; status?: { allowed?: boolean } };
  return { status, message, allowed: review?.allowed === true };
}

const FIX: Record<number, string> = {
  401: 'check the credentials of the kubeconfig',
  403: 'use a kubeconfig that may impersonate, or leave --as-functions and --service-account out',
};
