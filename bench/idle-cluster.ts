import type { Recorded } from '../infra/local/bundle.ts';

interface Writer {
  user: string;
  agent: string;
  group: string;
  resource: string;
  kind: string;
  name: string;
  /** Milliseconds between two writes. */
  every: number;
  /** A write that changes nothing gives no watch event. */
  noop?: boolean;
  subresource?: string;
}

const START = Date.UTC(2026, 10, 21);
const OPERATORS = [
  'strimzi-cluster-operator',
  'kubeblocks',
  'kubero-operator',
  'cert-manager',
  'external-secrets',
  'argocd',
  'cnpg',
  'flux',
];
const NODES = 20;

const leader = (name: string) => ({ user: `system:serviceaccount:${name}:${name}`, agent: `${name}/1.0`, name });

/** Who writes in a cluster in which nothing happens: rates measured on real operators, made up for eight of them and 20 nodes. */
const WRITERS: Writer[] = [
  ...OPERATORS.map((name) => ({ ...leader(name), group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease', every: 2_000 })),
  ...OPERATORS.slice(2, 4).map((name) => ({ ...leader(name), group: '', resource: 'configmaps', kind: 'ConfigMap', every: 2_000 })),
  ...Array.from({ length: NODES }, (_, i) => ({
    ...{ user: `system:node:node-${i}`, agent: 'kubelet/v1.36.1', group: 'coordination.k8s.io', resource: 'leases', kind: 'Lease' },
    ...{ name: `node-${i}`, every: 10_000 },
  })),
  ...Array.from({ length: NODES }, (_, i) => ({
    ...{ user: `system:node:node-${i}`, agent: 'kubelet/v1.36.1', group: '', resource: 'nodes', kind: 'Node', subresource: 'status' },
    ...{ name: `node-${i}`, every: 300_000 },
  })),
  ...['orders', 'payments', 'search'].flatMap((name) => [
    {
      ...leader('strimzi-cluster-operator'),
      group: 'core.strimzi.io',
      resource: 'strimzipodsets',
      kind: 'StrimziPodSet',
      name,
      every: 120_000,
      noop: true,
    },
    { ...leader('kubeblocks'), group: 'apps', resource: 'statefulsets', kind: 'StatefulSet', name, every: 60_000, noop: true },
    {
      ...leader('kubero-operator'),
      group: 'application.kubero.dev',
      resource: 'kuberoapps',
      kind: 'KuberoApp',
      name,
      every: 60_000,
      noop: true,
      subresource: 'status',
    },
    { ...leader('kubeblocks'), group: '', resource: 'events', kind: 'Event', name, every: 5_000 },
  ]),
];

/** What audit at level Metadata (reads left out) and the watches would show, in order. */
export function idleCluster(seconds: number): Recorded[] {
  const events: Recorded[] = [];
  for (const [index, writer] of WRITERS.entries()) {
    const { group, resource, kind, name, user, agent, every, noop, subresource } = writer;
    const path = `/${group === '' ? 'api' : `apis/${group}`}/v1/namespaces/idle/${resource}/${name}${subresource ? `/${subresource}` : ''}`;
    for (let at = START + ((index * 137) % every), n = 1; at < START + seconds * 1_000; at += every, n += 1) {
      const time = new Date(at).toISOString();
      events.push({
        ...{ at, kind: 'audit' },
        event: {
          ...{ kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'Metadata', auditID: `${index}-${n}`, stage: 'ResponseComplete' },
          ...{
            requestURI: path,
            verb: 'update',
            user: { username: user },
            userAgent: agent,
            responseStatus: { code: 200 },
            stageTimestamp: time,
          },
          objectRef: { resource, namespace: 'idle', name, apiGroup: group, apiVersion: 'v1', ...(subresource && { subresource }) },
        },
      });
      if (noop) continue;
      const apiVersion = group === '' ? 'v1' : `${group}/v1`;
      const metadata = { name, namespace: 'idle', uid: `${index}`, resourceVersion: `${n}`, generation: 1 };
      events.push({
        at: at + 5,
        kind: 'watch',
        event: { receivedAt: time, resource, type: 'MODIFIED', object: { apiVersion, kind, metadata, n } },
      });
    }
  }
  return events.sort((a, b) => a.at - b.at);
}
