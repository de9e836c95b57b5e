import type { Remediation, Right } from '../shared/remediation.ts';
import { describeWrite } from './kubernetes/describe-write.ts';
import { grantsOf, merge, type Pins, readOnly } from './kubernetes/rbac.ts';

/** A request in the words of RBAC. `namespace` absent: in all. */
export interface Ask {
  verb: string;
  group: string;
  resource: string;
  name?: string;
  namespace?: string;
}

/** One sentence of the threat model, and the requests that show whether it holds. */
export interface Statement {
  text: string;
  asks: Ask[];
  allowed: boolean;
}

/** The rights for shadow mode, or those for `approve` and `auto`: the mode itself binds the engine, not a token. */
export type Rights = 'shadow' | 'writing';

/** What a stolen token of a remediation can read, with nothing named by `--pin` or `--namespace` but `pins`. */
export const canRead = (remediation: Remediation, pins: Pins): Statement[] =>
  merge(readOnly(remediation).rights).map((right) => {
    const grants = grantsOf(right, { pins });
    const asks = grants.flatMap(({ right: granted, namespace }) => asksOf(granted, granted.verbs, namespace));
    return { text: sentenceOf(right), asks: grants.length > 0 ? asks : asksOf(right, right.verbs), allowed: grants.length > 0 };
  });

/** What a stolen token can do besides reading: nothing with rights for shadow mode. */
export const canWrite = ({ rights }: Remediation): Statement[] =>
  merge(rights.map((right) => ({ ...right, verbs: right.pinned ? [] : right.verbs.filter((verb) => !READING.includes(verb)) })))
    .filter(({ verbs }) => verbs.length > 0)
    .map((right) => ({ text: sentenceOf(right), asks: asksOf(right, right.verbs), allowed: true }));

/** What no token of a remediation can do, whatever its mode. */
export const CANNOT: Statement[] = [
  {
    text: 'read Secrets of all namespaces, or one that was not named',
    asks: ['get', 'list', 'watch'].map((verb) => ({
      verb,
      group: '',
      resource: 'secrets',
      ...(verb === 'get' && { name: 'other', namespace: 'kube-system' }),
    })),
  },
  { text: 'read ConfigMaps', asks: ['get', 'list'].map((verb) => ({ verb, group: '', resource: 'configmaps' })) },
  {
    text: 'run a command in a pod, or reach a port of a pod, that was not named',
    asks: ['exec', 'attach', 'portforward', 'proxy'].map((sub) => ({
      verb: 'create',
      group: '',
      resource: `pods/${sub}`,
      name: 'other',
      namespace: 'kube-system',
    })),
  },
  {
    text: 'create, replace or delete pods, workloads, Secrets, ServiceAccounts or CustomResourceDefinitions',
    asks: [
      ...['pods', 'secrets', 'serviceaccounts'].map((resource) => ({ group: '', resource })),
      ...['deployments', 'daemonsets', 'statefulsets'].map((resource) => ({ group: 'apps', resource })),
      { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    ].flatMap((kind) => ['create', 'update', 'delete', 'deletecollection'].map((verb) => ({ ...kind, verb }))),
  },
  {
    text: 'grant rights, change a policy, act as another user or obtain a token',
    asks: [
      ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].flatMap((resource) =>
        ['create', 'update', 'patch', 'bind', 'escalate'].map((verb) => ({ verb, group: 'rbac.authorization.k8s.io', resource })),
      ),
      ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings'].flatMap((resource) =>
        ['create', 'update', 'patch', 'delete'].map((verb) => ({ verb, group: 'admissionregistration.k8s.io', resource })),
      ),
      { verb: 'impersonate', group: '', resource: 'users' },
      { verb: 'create', group: '', resource: 'serviceaccounts/token' },
    ],
  },
].map((one) => ({ ...one, allowed: false }));

const READING: string[] = ['get', 'list', 'watch'];

const asksOf = ({ group, resources, names = [''] }: Right, verbs: string[], namespace?: string): Ask[] =>
  resources.flatMap((resource) =>
    verbs.flatMap((verb) => names.map((name) => ({ verb, group, resource, ...(name && { name }), ...(namespace && { namespace }) }))),
  );

/** `get, list: kafkas.kafka.strimzi.io` */
function sentenceOf({ group, resources, names, pinned, pinnable, verbs }: Right): string {
  const kinds = resources.map((resource) => `\`${resource}${group && `.${group}`}\``).join(', ');
  const isSecret = group === '' && resources.includes('secrets');
  const where = names
    ? `, only ${names.map((name) => `\`${name}\``).join(', ')}`
    : pinned
      ? `, only those named with \`--pin ${pinned}=…\``
      : isSecret
        ? ', only in the namespaces named with `--namespace`'
        : pinnable
          ? `, or only those named with \`--pin ${pinnable}=…\``
          : '';
  return `${verbs.join(', ')} ${kinds}${where}${isSecret ? ', data included' : ''}`;
}

/** docs/threat-model.md with its generated parts replaced: they stand between two comments each. */
export function threatModelOf(page: string, remediations: Remediation[]): string {
  const parts = {
    cannot: CANNOT.map(({ text }) => `- ${text}`).join('\n'),
    remediations: remediations.map(sectionOf).join('\n').trimEnd(),
  };
  return Object.entries(parts).reduce(
    (text, [name, part]) =>
      text.replace(new RegExp(`(<!-- ${name}: [^>]*-->\\n)[^]*?(<!-- end -->)`), (_, start, end) => `${start}\n${part}\n\n${end}`),
    page,
  );
}

function sectionOf(remediation: Remediation): string {
  const { name, rights, writes } = remediation;
  const streams = rights.some(({ resources }) => resources.some((resource) => resource.includes('/')));
  const writing = [
    '| a write that passes | the worst that it can do |',
    '|---|---|',
    ...writes.map((write) => `| ${describeWrite(write).replaceAll('|', '\\|')} | ${write.worst} |`),
    '| creates Events in the name of `kubemend.dev/…` | mislead people |',
  ];
  return [
    `### ${name}`,
    '',
    '**In shadow mode** a stolen token can read this, and change nothing in the API:',
    '',
    ...canRead(remediation, {}).map(({ text }) => `- ${text}`),
    '',
    ...(streams
      ? [
          'A stream into a pod is not read-only, in shadow mode either: through a port, the holder of the token can send whatever the pod accepts without further authentication. RBAC limits it to the pods that were named. The admission policy sees only the command of an exec and refuses any but those that kubemend runs; it sees nothing of what flows through a port. Without a pin no stream is granted.',
          '',
        ]
      : []),
    '**With the rights for `approve` or `auto`** it can do this as well, and no other write:',
    '',
    ...writing,
    '',
  ].join('\n');
}
