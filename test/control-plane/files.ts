import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { writePrivateFile } from '../../events/private-files.ts';

/** A user with a static token. Rights come from RBAC; the group `system:masters` has all. */
export interface User {
  name: string;
  groups?: string[];
}

/** Where the API server sends its audit events. `ca` is PEM. */
export interface AuditWebhook {
  url: string;
  ca: string;
  token?: string;
}

/** Writes serving certificate and key (`serving.crt`, `serving.key`), and returns the certificate, which is its own CA. */
export async function writeServingCertificate(directory: string): Promise<string> {
  const altNames: { type: 2 | 7; value?: string; ip?: string }[] = [
    { type: 7, ip: '127.0.0.1' },
    { type: 2, value: 'localhost' },
  ];
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'kubemend-control-plane' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  await secret(join(directory, 'serving.key'), key);
  await secret(join(directory, 'serving.crt'), cert);
  return cert;
}

/** Writes the key that signs ServiceAccount tokens; one that is there stays, and with it the tokens of an earlier run. */
export async function writeServiceAccountKey(directory: string): Promise<void> {
  const path = join(directory, 'service-accounts.key');
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) return;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await secret(path, privateKey.export({ type: 'sec1', format: 'pem' }) as string);
}

/** Writes `tokens.csv` for `--token-auth-file` and returns the token of each user. */
export async function writeTokens(directory: string, users: User[]): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {};
  const lines = users.map(({ name, groups = [] }) => {
    const token = randomBytes(24).toString('base64url');
    tokens[name] = token;
    return [token, name, name, groups.join(',')].map((field) => `"${field.replaceAll('"', '""')}"`).join(',');
  });
  await secret(join(directory, 'tokens.csv'), `${lines.join('\n')}\n`);
  return tokens;
}

/** Writes the kubeconfig-shaped `audit-webhook.json` (JSON is YAML) and returns the flags that use it. */
export async function writeAuditWebhook(directory: string, { url, ca, token }: AuditWebhook): Promise<string[]> {
  const path = join(directory, 'audit-webhook.json');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'receiver', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'apiserver', user: token === undefined ? {} : { token } }],
    contexts: [{ name: 'audit', context: { cluster: 'receiver', user: 'apiserver' } }],
    'current-context': 'audit',
  };
  await secret(path, JSON.stringify(config));
  // The defaults (30 s, 10 s) are the latency floor of a quiet cluster.
  return [`--audit-webhook-config-file=${path}`, '--audit-webhook-batch-max-wait=1s', '--audit-webhook-initial-backoff=1s'];
}

/** A certificate the API server shows to kubelets; it is its own authority. */
export async function makeClientCertificate(): Promise<{ cert: string; key: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'kube-apiserver' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true },
      { name: 'extKeyUsage', clientAuth: true },
    ],
  });
  return { cert, key };
}

/** A file only its owner reads. */
export const secret = async (path: string, text: string): Promise<void> => writePrivateFile(path, text);
