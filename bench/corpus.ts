import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from './random.ts';

/** An audit log that was made up: where it is, and what is in it. */
export interface Corpus {
  path: string;
  events: number;
  bytes: number;
  seed: number;
}

/** The groups whose writes are hits: five of operators, as in a cluster that runs Strimzi and KubeBlocks. */
export const HIT_GROUPS = [
  'apps.kubeblocks.io',
  'workloads.kubeblocks.io',
  'operations.kubeblocks.io',
  'kafka.strimzi.io',
  'core.strimzi.io',
];

interface Kind {
  group: string;
  version: string;
  resource: string;
  /** How much of the traffic is about it. */
  weight: number;
  /** Cluster-scoped. */
  global?: boolean;
  status?: boolean;
}

const KINDS: Kind[] = [
  { group: '', version: 'v1', resource: 'pods', weight: 14, status: true },
  { group: '', version: 'v1', resource: 'configmaps', weight: 8 },
  { group: '', version: 'v1', resource: 'secrets', weight: 6 },
  { group: '', version: 'v1', resource: 'events', weight: 5 },
  { group: '', version: 'v1', resource: 'nodes', weight: 5, global: true, status: true },
  { group: '', version: 'v1', resource: 'persistentvolumeclaims', weight: 2, status: true },
  { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', weight: 22 },
  { group: 'apps', version: 'v1', resource: 'deployments', weight: 4, status: true },
  { group: 'apps', version: 'v1', resource: 'statefulsets', weight: 3, status: true },
  { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices', weight: 3 },
  { group: 'apps.kubeblocks.io', version: 'v1', resource: 'clusters', weight: 6, status: true },
  { group: 'apps.kubeblocks.io', version: 'v1', resource: 'components', weight: 5, status: true },
  { group: 'workloads.kubeblocks.io', version: 'v1', resource: 'instancesets', weight: 5, status: true },
  { group: 'operations.kubeblocks.io', version: 'v1alpha1', resource: 'opsrequests', weight: 3, status: true },
  { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', weight: 5, status: true },
  { group: 'core.strimzi.io', version: 'v1beta2', resource: 'strimzipodsets', weight: 4, status: true },
];

/** The resources whose finished writes are hits. */
export const HIT_RESOURCES = KINDS.filter(({ group }) => HIT_GROUPS.includes(group)).map(({ group, resource }) => ({ group, resource }));

const VERBS: [string, number][] = [
  ['get', 40],
  ['list', 8],
  ['watch', 7],
  ['update', 21],
  ['patch', 16],
  ['create', 5],
  ['delete', 3],
];

const CLIENTS = [
  ['kube-system', 'kubeblocks', 'kubeblocks-65f8d6c9bd-x2x7q', 'KubeBlocks 1.0.1 (linux/amd64)'],
  ['strimzi-system', 'strimzi-cluster-operator', 'strimzi-cluster-operator-76b947897f-hs5xk', 'strimzi-cluster-operator/0.43.0'],
  ['kube-system', 'generic-garbage-collector', '', 'kube-controller-manager/v1.36.1 (linux/amd64) kubernetes/7b2d3a1'],
  [
    'argocd',
    'argocd-application-controller',
    'argocd-application-controller-0',
    'argocd-application-controller/v0.0.0 (linux/amd64) kubernetes/$Format',
  ],
  [
    'cert-manager',
    'cert-manager',
    'cert-manager-5c887c889d-9k2wz',
    'cert-manager-certificates-trigger/v1.20.3 (linux/amd64) cert-manager/5a1b3c9',
  ],
  ['monitoring', 'kube-prometheus-operator', 'kube-prometheus-operator-6f6b8c9d7f-4pd2x', 'PrometheusOperator/0.79.2'],
];

type Pick = <T>(list: readonly T[]) => T;

function weighted<T>(entries: readonly (readonly [T, number])[]): T[] {
  return entries.flatMap(([value, weight]) => Array<T>(weight).fill(value));
}

const HEX = Array.from({ length: 65_536 }, (_, i) => i.toString(16).padStart(4, '0'));

/** Makes events as kube-apiserver writes them at level Metadata, a line each. */
export function eventMaker(seed: number): () => string {
  const random = seeded(seed);
  const pick: Pick = (list) => list[Math.floor(random() * list.length)] as never;
  const kinds = weighted(KINDS.map((kind) => [kind, kind.weight] as const));
  const verbs = weighted(VERBS);
  const quad = () => HEX[Math.floor(random() * 65_536)];
  const uid = () => `${quad()}${quad()}-${quad()}-4${quad()?.slice(1)}-a${quad()?.slice(1)}-${quad()}${quad()}${quad()}`;
  const namespaces = Array.from({ length: 40 }, (_, i) => `team-${String(i).padStart(2, '0')}-${pick(['orders', 'payments', 'search'])}`);
  const users = [
    ...CLIENTS.map((client) => serviceAccount(client, uid)),
    person('dana@example.com', uid),
    node('ip-10-0-12-7.eu-central-1.compute.internal', uid),
  ];
  let at = Date.UTC(2026, 10, 21);

  return () => {
    const kind = pick(kinds);
    const verb = pick(verbs);
    const { user, agent } = pick(users);
    const space = kind.global ? undefined : pick(namespaces);
    const many = verb === 'list' || verb === 'watch';
    const name = many || verb === 'create' ? undefined : `${kind.resource.slice(0, -1)}-${pick(['main', 'blue', 'green'])}-${quad()}`;
    const status = kind.status && (verb === 'update' || verb === 'patch') && random() < 0.6;
    at += 1 + Math.floor(random() * 3);
    const query =
      verb === 'list'
        ? '?limit=500\\u0026resourceVersion=0'
        : verb === 'watch'
          ? `?allowWatchBookmarks=true\\u0026resourceVersion=${at % 9_999_999}\\u0026timeoutSeconds=${300 + (at % 300)}\\u0026watch=true`
          : verb === 'patch'
            ? '?fieldManager=manager\\u0026force=true'
            : '';
    const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
    const path = `${base}${space ? `/namespaces/${space}` : ''}/${kind.resource}${name ? `/${name}` : ''}${status ? '/status' : ''}`;
    const ref = [
      `"resource":"${kind.resource}"`,
      space && `"namespace":"${space}"`,
      name && `"name":"${name}"`,
      verb === 'update' && `"uid":"${uid()}"`,
      kind.group && `"apiGroup":"${kind.group}"`,
      `"apiVersion":"${kind.version}"`,
      verb === 'update' && `"resourceVersion":"${at % 99_999_999}"`,
      status && '"subresource":"status"',
    ].filter(Boolean);
    const received = new Date(at).toISOString().slice(0, -1);
    const code = verb === 'create' ? 201 : random() < 0.03 ? 409 : 200;
    return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"${uid()}","stage":"ResponseComplete","requestURI":"${path}${query}","verb":"${verb}","user":${user},"sourceIPs":["10.0.${at % 256}.${at % 251}"],"userAgent":"${agent}","objectRef":{${ref.join()}},"responseStatus":{"metadata":{},"code":${code}},"requestReceivedTimestamp":"${received}${quad()?.replace(/\D/g, '1').slice(0, 3)}Z","stageTimestamp":"${new Date(at + 4).toISOString().slice(0, -1)}117Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding \\"${agent.slice(0, 18)}-manager-rolebinding\\" of ClusterRole \\"${agent.slice(0, 18)}-manager-role\\" to ServiceAccount \\"${agent.slice(0, 18)}-controller-manager/operators-of-the-platform\\""}}\n`;
  };
}

function serviceAccount([namespace, name, pod, agent]: string[], uid: () => string) {
  const extra = [
    `"authentication.kubernetes.io/credential-id":["JTI=${uid()}"]`,
    '"authentication.kubernetes.io/node-name":["ip-10-0-44-118.eu-central-1.compute.internal"]',
    `"authentication.kubernetes.io/node-uid":["${uid()}"]`,
    pod && `"authentication.kubernetes.io/pod-name":["${pod}"]`,
    pod && `"authentication.kubernetes.io/pod-uid":["${uid()}"]`,
  ].filter(Boolean);
  const groups = `["system:serviceaccounts","system:serviceaccounts:${namespace}","system:authenticated"]`;
  const user = `{"username":"system:serviceaccount:${namespace}:${name}","uid":"${uid()}","groups":${groups},"extra":{${extra.join()}}}`;
  return { user, agent: agent ?? '' };
}

/** As EKS tells of people: with what they assumed. */
function person(name: string, uid: () => string) {
  const role = `arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_PlatformAdministrator_0123456789abcdef/${name}`;
  const extra = [
    '"accessKeyId":["ASIAIOSFODNN7EXAMPLE"]',
    `"arn":["${role}"]`,
    '"authentication.kubernetes.io/credential-id":["AKID=ASIAIOSFODNN7EXAMPLE"]',
    '"canonicalArn":["arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_PlatformAdministrator_0123456789abcdef"]',
    '"principalId":["AROAIOSFODNN7EXAMPLE"]',
    `"sessionName":["${name}"]`,
  ];
  const user = `{"username":"${role}","uid":"aws-iam-authenticator:111122223333:${uid()}","groups":["platform-team","system:authenticated"],"extra":{${extra.join()}}}`;
  return { user, agent: 'kubectl/v1.36.0 (linux/amd64) kubernetes/3c1f1b2' };
}

function node(name: string, uid: () => string) {
  const extra = [
    '"accessKeyId":["ASIAIOSFODNN7EXAMPLE"]',
    `"arn":["arn:aws:sts::111122223333:assumed-role/orders-node-role-${uid()}/i-0123456789abcdef0"]`,
    `"canonicalArn":["arn:aws:iam::111122223333:role/orders-node-role-${uid()}"]`,
    '"principalId":["AROAIOSFODNN7EXAMPLE"]',
    '"sessionName":["i-0123456789abcdef0"]',
  ];
  const user = `{"username":"system:node:${name}","uid":"aws-iam-authenticator:111122223333:${uid()}","groups":["system:bootstrappers","system:nodes","system:authenticated"],"extra":{${extra.join()}}}`;
  return { user, agent: 'kubelet/v1.36.1 (linux/amd64) kubernetes/7b2d3a1' };
}

/** Writes the corpus, or takes the one that an earlier run left in the folder. */
export function corpus(directory: string, events: number, seed = 1): Corpus {
  const path = join(directory, `audit-${events}-${seed}-v1.ndjson`);
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true });
    const file = openSync(`${path}.part`, 'w');
    const next = eventMaker(seed);
    for (let made = 0; made < events; ) {
      let text = '';
      for (let end = Math.min(made + 1_000, events); made < end; made += 1) text += next();
      writeSync(file, text);
    }
    closeSync(file);
    renameSync(`${path}.part`, path);
  }
  return { path, events, bytes: statSync(path).size, seed };
}
