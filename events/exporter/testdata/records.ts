import type { AuditRecord } from '../audit/audit-record.ts';
import type { WatchEvent } from '../watch/watch-event.ts';

/** A fixed start: 2026-11-21T10:00:00Z. */
export const T0 = Date.UTC(2026, 10, 21, 10);

let serial = 0;

/** A successful PUT on the ConfigMap `demo/settings` by the service account `robot`, `seconds` after T0. */
export const request = (seconds: number, more: Partial<AuditRecord> = {}): AuditRecord => ({
  auditID: `request-${++serial}`,
  stage: 'ResponseComplete',
  at: T0 + Math.round(seconds * 1_000),
  verb: 'update',
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespace: 'demo',
  name: 'settings',
  code: 200,
  user: 'robot',
  userAgent: 'robot/1.0',
  dryRun: false,
  ...more,
});

/** What a test says about a watched ConfigMap. */
export interface Version {
  name?: string;
  uid?: string;
  rv?: number;
  generation?: number;
  data?: Record<string, unknown>;
  managedFields?: unknown[];
}

/** A watch line about a ConfigMap in `demo`, `seconds` after T0; resourceVersions count up. */
export const seen = (
  seconds: number,
  { name = 'settings', uid = 'uid-1', rv = ++serial, generation, data = { value: rv }, managedFields }: Version = {},
  more: Partial<WatchEvent> = {},
): WatchEvent => ({
  receivedAt: new Date(T0 + Math.round(seconds * 1_000)).toISOString(),
  resource: 'configmaps',
  type: 'MODIFIED',
  object: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...{ name, namespace: 'demo', uid, resourceVersion: String(rv) },
      ...(generation !== undefined && { generation }),
      ...(managedFields && { managedFields }),
    },
    data,
  },
  ...more,
});
