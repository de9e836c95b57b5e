import { readFile } from 'node:fs/promises';
import type { AuditLine } from '../scenarios/scenario.ts';

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The API server's audit log, one entry per request; the line being written is left out. */
export async function readAuditLog(path: string): Promise<AuditLine[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditLine);
}

/** The requests of users whose name begins so that could change something; dry runs only where asked for. What is told in Events changes nothing. */
export const writesBy = (log: AuditLine[], user: string, { dryRuns = false } = {}): AuditLine[] =>
  log.filter(
    ({ verb, user: { username }, requestURI, objectRef }) =>
      WRITES.has(verb) &&
      username.startsWith(user) &&
      objectRef?.apiGroup !== 'events.k8s.io' &&
      (dryRuns || !requestURI.includes('dryRun=All')),
  );
