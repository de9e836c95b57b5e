import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../shared/kubernetes/transport.ts';
import { UsageError } from './verb.ts';

/** How a Pod reaches its API server as its ServiceAccount. The token is read for every request, because the kubelet replaces it. Throws UsageError. */
export function inCluster(server: string, directory: string): Connection {
  const token = join(directory, 'token');
  try {
    readFileSync(token);
    return {
      ...{ server, userAgent: 'kubemend (exporter)', ca: readFileSync(join(directory, 'ca.crt'), 'utf8') },
      token: async () => (await readFile(token, 'utf8')).trim(),
    };
  } catch (error) {
    throw new UsageError(
      `The Pod's ServiceAccount cannot be read: ${(error as Error).message}. Set automountServiceAccountToken, or give --kubeconfig`,
    );
  }
}
