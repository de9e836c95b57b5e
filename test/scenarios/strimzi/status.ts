import type { Doc } from '../../control-plane/admin.ts';

export type Status = Record<string, unknown>;

/** A condition without its time. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface StatusOptions {
  /** The operator's; decides its user agent and which status fields it writes. */
  version?: string;
  /** `v1beta2` up to 0.48, `v1` from 1.0.0 on. */
  apiVersion?: 'v1beta2' | 'v1';
  /** More status fields, over those of the version. */
  fields?: Status;
  /** Called at every reconciliation. A message that never repeats makes a loop that no CRD mends. */
  condition?: () => Condition;
  /** Writes a field that no CRD of any version knows: applying the right CRDs does not help. */
  stubborn?: boolean;
}

/** Which operators write a field at every reconciliation, as [first, before]; the CRDs of `first` are the first to have it. */
const WRITTEN: Record<string, [first: string, before: string]> = {
  operatorLastSuccessfulVersion: ['0.37.0', '99'],
  kafkaVersion: ['0.37.0', '99'],
  kafkaMetadataVersion: ['0.39.0', '99'],
  kafkaMetadataState: ['0.40.0', '0.49.0'],
  registeredNodeIds: ['0.43.0', '0.48.0'],
  clusterSecurity: ['1.2.0', '99'],
};

const READY = (): Condition => ({ type: 'Ready', status: 'True' });

/** The status this operator wants for `kafka`; `now` is RFC 3339 and goes into the condition. */
export function desiredStatus(kafka: Doc, pools: Doc[], options: StatusOptions, now: string): Status {
  const { version = '0.43.0', fields = {}, condition = READY, stubborn = false } = options;
  const { name, namespace, generation } = kafka.metadata;
  const spec = (kafka.spec?.kafka ?? {}) as { version?: string; metadataVersion?: string; listeners?: { name: string; port: number }[] };
  const host = `${name}-kafka-bootstrap.${namespace}.svc`;
  const byVersion: Status = {
    operatorLastSuccessfulVersion: version,
    kafkaVersion: spec.version ?? '3.8.0',
    kafkaMetadataVersion: spec.metadataVersion ?? '3.8-IV0',
    kafkaMetadataState: 'KRaft',
    registeredNodeIds: pools.flatMap(({ status }) => (status?.nodeIds ?? []) as number[]).sort((a, b) => a - b),
    clusterSecurity: { encryption: 'TLS' },
  };
  return {
    clusterId: '3thGEYvxQ0CZ7S9ValYBeQ',
    conditions: [{ lastTransitionTime: now, ...condition() }],
    kafkaNodePools: pools.map(({ metadata }) => ({ name: metadata.name })),
    listeners: (spec.listeners ?? []).map(({ name, port }) => ({
      addresses: [{ host, port }],
      bootstrapServers: `${host}:${port}`,
      name,
    })),
    observedGeneration: generation,
    ...Object.fromEntries(Object.entries(byVersion).filter(([field]) => writes(version, field))),
    ...(stubborn && { neverInAnyDefinition: true }),
    ...fields,
  };
}

function writes(version: string, field: string): boolean {
  const [first, before] = WRITTEN[field] ?? ['0', '0'];
  const numeric = new Intl.Collator('en', { numeric: true });
  return numeric.compare(first, version) <= 0 && numeric.compare(version, before) < 0;
}
