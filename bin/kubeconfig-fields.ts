import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { asRecord } from '../events/exporter/as-record.ts';
import { UsageError } from './verb.ts';

/**
 * The fields that kubemend honours. It refuses every other field with a value: to ignore one could mean to act as another user (`as`), or to
 * connect in another way (`proxy-url`), than kubectl does with the same file. Fields: `k8s.io/client-go/tools/clientcmd/api/v1`.
 */
const HONOURED = {
  clusters: ['server', 'certificate-authority', 'certificate-authority-data', 'disable-compression', 'extensions'],
  users: [
    ...['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'],
    ...['token', 'exec', 'auth-provider', 'extensions'],
  ],
};

/** Throws UsageError when the cluster or the user has a field that kubemend does not honour. Reads the files again: the client library drops fields. */
export async function refuseOtherFields(files: string[], cluster: string, user: string): Promise<void> {
  for (const file of files) {
    const content = asRecord(parse(await readFile(file, 'utf8')));
    refuse(file, 'cluster', cluster, fieldsOf(content.clusters, cluster, 'cluster'), HONOURED.clusters);
    refuse(file, 'user', user, fieldsOf(content.users, user, 'user'), HONOURED.users);
  }
}

function fieldsOf(entries: unknown, name: string, key: 'cluster' | 'user'): string[] {
  const named = (Array.isArray(entries) ? entries : []).map(asRecord).filter((entry) => String(entry.name) === name);
  return named.flatMap((entry) => Object.entries(asRecord(entry[key]))).flatMap(([field, value]) => (isSet(value) ? [field] : []));
}

const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined && value !== null && value !== '' && value !== false;

function refuse(file: string, kind: string, name: string, fields: string[], honoured: string[]): void {
  const field = fields.find((one) => !honoured.includes(one));
  if (field === undefined) return;
  throw new UsageError(
    `The kubeconfig ${file} sets ${field} for the ${kind} "${name}", and kubemend does not support this field. Name a context without it with --context`,
  );
}
