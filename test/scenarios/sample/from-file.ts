import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { documentsOf } from '../../../shared/kubernetes/yaml.ts';
import { Admin, type Draft, RefusedError } from '../../control-plane/admin.ts';
import type { Scenario } from '../scenario.ts';
import { groupOf, resourceOf } from './names.ts';

/** A scenario out of a remediation's sample: its objects on a real API server, the last of them changed while kubemend watches. */
export async function scenarioOf(file: string, remediation: string): Promise<Scenario> {
  const documents = await documentsOf(readFileSync(file, 'utf8'));
  const last = documents.at(-1);
  if (!last) throw new Error(`${file} holds no object`);
  const resource = resourceOf(last);
  return {
    title: `The sample of ${remediation}: ${last.kind} ${last.metadata.name}`,
    remediation,
    isSymptom: ({ verb, objectRef, userAgent }) => verb === 'patch' && objectRef?.resource === resource && userAgent === 'scenario',
    async start({ admin, connection, progress }) {
      progress(`creating ${documents.length} object${documents.length === 1 ? '' : 's'} of ${file}`);
      const again = documents.slice(0, -1).some((one) => isSame(one, last));
      for (const document of again ? documents.slice(0, -1) : documents) await create(admin, document);
      const ending = new AbortController();
      const writer = new Admin(connection);
      const changing = change(writer, last, again, ending.signal);
      return {
        async stop() {
          ending.abort();
          await changing;
          writer.close();
        },
      };
    },
  };
}

const isSame = (one: KubernetesObject, other: KubernetesObject): boolean =>
  one.kind === other.kind && one.metadata.name === other.metadata.name && one.metadata.namespace === other.metadata.namespace;

const pathOf = (document: KubernetesObject): string => {
  const { namespace, name } = document.metadata;
  return `${groupOf(document).path}${namespace ? `/namespaces/${namespace}` : ''}/${resourceOf(document)}/${name}`;
};

async function create(admin: Admin, document: KubernetesObject): Promise<void> {
  const { group, version } = groupOf(document);
  const { namespace } = document.metadata;
  if (group.includes('.') && !group.endsWith('.k8s.io')) await unless(admin.createCrd(crdOf(document, group, version)));
  if (namespace) await unless(admin.create('/api/v1/namespaces', { metadata: { name: namespace } }));
  const path = pathOf(document);
  const { status, ...rest } = document;
  await admin.create(path.slice(0, path.lastIndexOf('/')), rest as Draft);
  if (status) await admin.patch(`${path}/status`, 'merge', { status });
}

/** The change that is the fact: to the second form of the object, or a touch that changes nothing in it. */
async function change(
  writer: Admin,
  { status, spec, metadata, ...document }: KubernetesObject,
  again: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!(await delay(4_000, true, { signal }).catch(() => false))) return;
  const path = pathOf({ ...document, metadata });
  const { labels = {}, annotations = {} } = metadata;
  const touched = { 'example.com/touched': new Date().toISOString() };
  await writer.patch(path, 'merge', { metadata: { labels, annotations: { ...annotations, ...touched } }, ...(again && spec && { spec }) });
  if (again && status) await writer.patch(`${path}/status`, 'merge', { status });
}

/** A CRD that takes anything: the operator's own is not needed to see its failure. */
const crdOf = ({ kind = '', metadata }: KubernetesObject, group: string, version: string): Draft => ({
  metadata: { name: `${resourceOf({ kind })}.${group}` },
  spec: {
    group,
    scope: metadata.namespace ? 'Namespaced' : 'Cluster',
    names: { kind, listKind: `${kind}List`, plural: resourceOf({ kind }), singular: kind.toLowerCase() },
    versions: [
      {
        ...{ name: version, served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

/** It may be there already. */
const unless = (creating: Promise<unknown>): Promise<unknown> =>
  creating.catch((error) => {
    if (!(error instanceof RefusedError && error.status === 409)) throw error;
  });
