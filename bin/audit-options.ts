import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { AuditSource } from '../events/exporter/audit/audit-source.ts';
import type { AuditListener } from '../events/exporter/exporter-options.ts';
import { type Call, text, UsageError } from './verb.ts';

/** The options of a verb that receives the audit webhook. */
export const auditListenerOptions = {
  'audit-listen': { type: 'string', help: "[HOST:]PORT to receive the API server's audit webhook: it names who writes" },
  'audit-cert': { type: 'string', help: 'TLS certificate for it, PEM' },
  'audit-key': { type: 'string', help: 'its key, PEM' },
  'audit-token': { type: 'string', help: 'file with the bearer token that the API server sends' },
  'audit-client-ca': { type: 'string', help: "authority of the API server's client certificate, PEM" },
} as const;

/**
 * Where and how a verb receives the audit webhook; undefined unless --audit-listen was given. Throws UsageError,
 * also when other machines could reach it without a token or a client certificate: they could send audit events of their own.
 */
export async function auditListener(call: Call): Promise<AuditListener | undefined> {
  const at = text(call, 'audit-listen');
  const about = ['audit-cert', 'audit-key', 'audit-client-ca', 'audit-token'].map((name) => ({ name, path: text(call, name) }));
  const [cert, key, clientCa, token] = await Promise.all(about.map(({ name, path }) => contentOf(name, path)));
  if (at === undefined) {
    const odd = about.find(({ path }) => path !== undefined);
    if (odd) throw new UsageError(`--${odd.name} is for the audit webhook: add --audit-listen PORT`);
    return undefined;
  }
  if (!cert || !key) throw new UsageError('--audit-listen needs --audit-cert and --audit-key: the API server speaks TLS only');
  if (token?.trim() === '') throw new UsageError(`--audit-token ${text(call, 'audit-token')}: the file is empty`);
  const address = addressOf('audit-listen', at);
  if (!clientCa && !token) {
    if (!isLoopback(address.host))
      throw new UsageError(
        `--audit-listen ${at} can be reached from other machines: give --audit-token or --audit-client-ca, so that only the API server can send audit events`,
      );
    call.err(
      'Every process on this machine can send audit events: give --audit-token or --audit-client-ca, so that only the API server can.',
    );
  }
  checkPair(
    { cert, key, ...(clientCa && { ca: clientCa }) },
    about.flatMap(({ name, path }) => (path && name !== 'audit-token' ? [`--${name} ${path}`] : [])).join(', '),
  );
  return { ...address, cert, key, ...(clientCa && { clientCa }), ...(token && { token: token.trim() }) };
}

/** Addresses that only this machine reaches; a name other than `localhost` may be any machine. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
const isLoopback = (host: string): boolean =>
  host === 'localhost' || (isIP(host) !== 0 && LOOPBACK.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6'));

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
function checkPair(pair: { cert: string; key: string; ca?: string }, files: string): void {
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
