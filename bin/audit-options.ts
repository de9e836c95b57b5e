import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { AuditSource } from '../events/exporter/audit/audit-source.ts';
import type { AuditListener } from '../events/exporter/exporter-options.ts';
import { type Call, text, UsageError } from './verb.ts';

/** Where and how `export` receives the audit webhook; undefined unless --audit-webhook was given. Throws UsageError. */
export async function auditListener(call: Call): Promise<AuditListener | undefined> {
  const at = text(call, 'audit-webhook');
  const about = ['tls-cert', 'tls-key', 'client-ca', 'audit-token'].map((name) => ({ name, path: text(call, name) }));
  const [cert, key, clientCa, token] = await Promise.all(about.map(({ name, path }) => contentOf(name, path)));
  if (at === undefined) {
    const odd = about.find(({ path }) => path !== undefined);
    if (odd) throw new UsageError(`--${odd.name} is for the audit webhook: add --audit-webhook PORT`);
    return undefined;
  }
  if (!cert || !key) throw new UsageError('--audit-webhook needs --tls-cert and --tls-key: the API server speaks TLS only');
  if (!clientCa && !token)
    call.err('Anybody who reaches the audit port can invent audit events: give --client-ca or --audit-token to know the API server.');
  checkPair(
    { cert, key, ...(clientCa && { ca: clientCa }) },
    about.flatMap(({ name, path }) => (path && name !== 'audit-token' ? [`--${name} ${path}`] : [])).join(', '),
  );
  return { ...addressOf('audit-webhook', at), cert, key, ...(clientCa && { clientCa }), ...(token && { token: token.trim() }) };
}

/** The other places that audit comes from: --audit-file, --audit-cloudwatch. Throws UsageError. */
export async function auditSources(call: Call): Promise<AuditSource[]> {
  const [path, cluster] = [text(call, 'audit-file'), text(call, 'audit-cloudwatch')];
  const sources: AuditSource[] = [];
  if (path !== undefined) sources.push((await import('../events/exporter/audit/audit-file.ts')).auditFile({ path }));
  if (cluster !== undefined) {
    const region = text(call, 'cloudwatch-region') ?? text(call, 'region');
    if (!region) throw new UsageError(`In which region does the cluster ${cluster} log? Give --cloudwatch-region`);
    const [{ CloudWatchLogsClient }, { auditCloudwatch }] = await Promise.all([
      import('@aws-sdk/client-cloudwatch-logs'),
      import('../events/exporter/audit/audit-cloudwatch.ts'),
    ]);
    sources.push(auditCloudwatch({ client: new CloudWatchLogsClient({ region }), cluster }));
  }
  return sources;
}

/** Throws UsageError where a TLS server could not start with a certificate and its key; `files` names them. */
export function checkPair(pair: { cert: string; key: string; ca?: string }, files: string): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new UsageError(`${files}: no TLS certificate with its key (PEM): ${(error as Error).message}`);
  }
}

/** `PORT` or `HOST:PORT`; all addresses when only the port is given. Throws UsageError. */
export function addressOf(name: string, value: string): { host: string; port: number } {
  const [, host = '::', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(value) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) throw new UsageError(`--${name} ${value} is neither PORT nor HOST:PORT`);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}

async function contentOf(name: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, 'utf8').catch((error: Error) => {
    throw new UsageError(`--${name}: ${path} cannot be read: ${error.message}`);
  });
}
