import * as z from 'zod';

/** One finished write request, as far as counting needs it. */
export interface AuditRecord {
  auditID: string;
  stage: 'ResponseComplete' | 'Panic';
  /** Milliseconds since 1970, from stageTimestamp. */
  at: number;
  verb: 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  group: string;
  version: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  /** Absent for deletecollection, and for generateName at level Metadata. */
  name?: string;
  uid?: string;
  /** A panic, or an answer without a code, is 500. */
  code: number;
  /** The API server says in the annotation `authorization.k8s.io/decision` that it authorized the request. */
  allowed?: boolean;
  /** The API server did not authenticate the user: `system:anonymous`, group `system:unauthenticated`, or no user at all. */
  unauthenticated?: boolean;
  /** The impersonated user where there is one. */
  user: string;
  /** Who impersonated. */
  impersonator?: string;
  userAgent: string;
  pod?: string;
  podUid?: string;
  fieldManager?: string;
  /** The timestamp was out of range: `at` is when the record arrived. */
  skewed?: boolean;
  /** Looks like any 200 in audit; only the request URI tells. */
  dryRun: boolean;
}

/** What became of one audit event: `ignored` ones are of no interest by design, `malformed` ones must be counted. */
export type AuditReading = { kind: 'record'; record: AuditRecord } | { kind: 'ignored' } | { kind: 'malformed'; because: string };

/** Empty after a failed authentication. */
const user = z.looseObject({
  username: z.string().default(''),
  groups: z.array(z.string()).default([]),
  extra: z.record(z.string(), z.array(z.string())).optional(),
});
const metadata = z.looseObject({ name: z.string().optional(), uid: z.string().optional() });
const stages = ['ResponseComplete', 'Panic'] as const;
const verbs = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const;

const head = z.looseObject({ stage: z.string(), verb: z.string(), objectRef: z.unknown().optional() });
const write = z.looseObject({
  auditID: z.string().min(1),
  stage: z.enum(stages),
  verb: z.enum(verbs),
  stageTimestamp: z.iso.datetime({ offset: true }),
  requestURI: z.string().default(''),
  userAgent: z.string().default(''),
  user,
  impersonatedUser: user.optional(),
  objectRef: z.looseObject({
    apiGroup: z.string().default(''),
    apiVersion: z.string().default(''),
    resource: z.string().min(1),
    subresource: z.string().optional(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    uid: z.string().optional(),
  }),
  responseStatus: z.looseObject({ code: z.number().int().optional() }).optional(),
  annotations: z.record(z.string(), z.string()).optional().catch(undefined),
  responseObject: z.looseObject({ metadata: metadata.optional() }).optional().catch(undefined),
});

/** Reads one audit.k8s.io/v1 Event. Only finished write requests on objects become records. */
export function readAuditEvent(input: unknown): AuditReading {
  const first = head.safeParse(input);
  if (!first.success) return { kind: 'malformed', because: z.prettifyError(first.error) };
  const { stage, verb, objectRef } = first.data;
  if (!stages.some((one) => one === stage) || !verbs.some((one) => one === verb) || objectRef === undefined) return { kind: 'ignored' };
  const event = write.safeParse(input);
  return event.success ? { kind: 'record', record: toRecord(event.data) } : { kind: 'malformed', because: z.prettifyError(event.error) };
}

function toRecord(event: z.infer<typeof write>): AuditRecord {
  const { objectRef, responseObject, stage } = event;
  const who = event.impersonatedUser ?? event.user;
  const query = new URLSearchParams(event.requestURI.split('?')[1] ?? '');
  return withoutEmpty({
    auditID: event.auditID,
    stage,
    at: Date.parse(event.stageTimestamp),
    verb: event.verb,
    group: objectRef.apiGroup,
    version: objectRef.apiVersion,
    resource: objectRef.resource,
    subresource: objectRef.subresource,
    namespace: objectRef.namespace,
    name: objectRef.name ?? (event.verb === 'create' ? responseObject?.metadata?.name : undefined),
    uid: objectRef.uid ?? responseObject?.metadata?.uid,
    code: stage === 'Panic' ? 500 : (event.responseStatus?.code ?? 500),
    allowed: event.annotations?.['authorization.k8s.io/decision'] === 'allow',
    unauthenticated: !isAuthenticated(who),
    user: who.username,
    impersonator: event.impersonatedUser && event.user.username,
    userAgent: event.userAgent,
    pod: who.extra?.['authentication.kubernetes.io/pod-name']?.[0],
    podUid: who.extra?.['authentication.kubernetes.io/pod-uid']?.[0],
    fieldManager: query.get('fieldManager') ?? undefined,
    dryRun: query.getAll('dryRun').includes('All'),
  });
}

const isAuthenticated = ({ username, groups }: z.infer<typeof user>): boolean =>
  username !== '' && username !== 'system:anonymous' && !groups.includes('system:unauthenticated');

type Loose<T> = { [K in keyof T]: T[K] | undefined };

/** Drops absent and empty optional fields, so that records compare and print cleanly. */
function withoutEmpty(record: Loose<AuditRecord>): AuditRecord {
  const optional = [
    'subresource',
    'namespace',
    'name',
    'uid',
    'impersonator',
    'pod',
    'podUid',
    'fieldManager',
    'allowed',
    'unauthenticated',
  ] as const;
  for (const field of optional) if (!record[field]) delete record[field];
  return record as AuditRecord;
}

/** `create` on these subresources opens a connection or answers a question; nothing is stored. */
const CONNECTIONS = new Set(['exec', 'attach', 'portforward', 'proxy', 'token']);

/** True when the request opened a connection or asked a question: nothing was stored. */
export const isConnection = ({ subresource }: AuditRecord): boolean => subresource !== undefined && CONNECTIONS.has(subresource);
