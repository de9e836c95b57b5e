import type { Doc, Draft } from '../../control-plane/admin.ts';
import { base64 } from './chart.ts';
import type { Client } from './client.ts';

type Status = 'pending-install' | 'pending-upgrade' | 'pending-rollback' | 'deployed' | 'superseded' | 'failed';

/** One release as Helm's storage driver keeps it: a Secret for each revision, the payload in its data. */
export interface Release {
  secret: Doc;
  version: number;
  status: string;
  manifest: string;
}

/** The revisions of one release, oldest first. */
export async function history(client: Client, namespace: string, name: string): Promise<Release[]> {
  const selector = encodeURIComponent(`name=${name},owner=helm`);
  const items = ((await client.get(`${secrets(namespace)}?labelSelector=${selector}`))?.items ?? []) as Doc[];
  return items
    .map((secret) => ({
      secret: { ...secret, apiVersion: 'v1', kind: 'Secret' },
      version: Number(secret.metadata.labels?.version),
      status: secret.metadata.labels?.status ?? '',
      manifest: Buffer.from((secret.data as { release: string }).release, 'base64').toString(),
    }))
    .sort((a, b) => a.version - b.version);
}

/** POST of a new revision. */
export async function createRevision(client: Client, pipeline: Doc, version: number, status: Status, manifest: string): Promise<Release> {
  const { namespace = '', name } = pipeline.metadata;
  const labels = { name, owner: 'helm', status, version: `${version}`, createdAt: seconds() };
  const draft: Draft = {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'helm.sh/release.v1' },
    metadata: { name: `sh.helm.release.v1.${name}.v${version}`, labels },
    data: { release: base64(manifest) },
  };
  return { secret: await client.write('POST', secrets(namespace), draft), version, status, manifest };
}

/** PUT of a revision with another status. */
export async function setStatus(client: Client, { secret }: Release, status: Status): Promise<void> {
  const { namespace = '', name, labels, ...metadata } = secret.metadata;
  const { createdAt: _, ...rest } = labels ?? {};
  const changed = { ...secret, metadata: { ...metadata, namespace, name, labels: { ...rest, status, modifiedAt: seconds() } } };
  await client.write('PUT', `${secrets(namespace)}/${name}`, changed);
}

export const deleteRevision = (client: Client, { secret }: Release): Promise<Doc> =>
  client.write('DELETE', `${secrets(secret.metadata.namespace ?? '')}/${secret.metadata.name}`);

const secrets = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;
const seconds = (): string => `${Math.floor(Date.now() / 1_000)}`;
