import { stringify } from 'yaml';
import { subscriptions } from '../../events/exporter/reduce/rules.ts';
import { admissionPolicies } from '../../infra/kubernetes/admission.ts';
import { impersonationRbac } from '../../infra/kubernetes/impersonation.ts';
import {
  exporterRbac,
  type Pins,
  type Reach,
  readOnly,
  remediationRbac,
  type Subject,
  withheldRights,
} from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { awsRoles } from '../aws-rights.ts';
import { type Call, text, UsageError, type Verb } from '../verb.ts';

/** The exporter's role, as `--only` names it. */
const EXPORTER = 'exporter';

export const verb: Verb = {
  summary:
    'print the RBAC and the admission policies that hold the exporter and each remediation to what they need; for shadow mode only reading; with --aws: the IAM policies',
  usage:
    'rights [--shadow] [--only NAME] [--namespace NS] [--pin NAME=NAMESPACE/OBJECT,…] [--subject USER | --subject NAMESPACE/SERVICEACCOUNT | --impersonate NAMESPACE/SERVICEACCOUNT] [--no-exporter | --no-secrets] [--no-policies] | rights --aws [--stage NAME]',
  examples: [
    'kubemend rights',
    'kubemend rights --shadow --subject kubemend/kubemend | kubectl apply -f -',
    'kubemend rights --only strimzi/upgrade-stale-crds | kubectl apply -f -',
    'kubemend rights --shadow --no-exporter --impersonate kubemend/functions | kubectl apply -f -',
    'kubemend rights --only kubero/slow-release-storm --namespace kubero --namespace shop',
    'kubemend rights --pin zookeeper-pods=kafka/my-cluster-zookeeper-0,kafka/my-cluster-zookeeper-1',
    'kubemend rights --pin kafka-secrets=kafka/my-cluster-cluster-ca,kafka/my-cluster-cluster-ca-cert,kafka/my-cluster-cluster-operator-certs',
    'kubemend rights --aws --stage prod --region eu-west-1 --account 123456789012',
  ],
  options: {
    aws: {
      type: 'boolean',
      help: 'the IAM policy of each function instead, before anything is installed, with the variables of the deployment that are set (KUBEMEND_CLUSTERS, KUBEMEND_KMS_KEY, KUBEMEND_SLACK_…: docs/aws.md)',
    },
    stage: { type: 'string', help: 'with --aws: the stage that will be installed (default: dev)' },
    region: { type: 'string', help: 'with --aws: its region' },
    account: { type: 'string', help: 'with --aws: its account' },
    shadow: { type: 'boolean', help: 'leave every right to write out' },
    only: { type: 'string', multiple: true, help: `only this remediation (or: ${EXPORTER}); repeatable` },
    namespace: {
      type: 'string',
      multiple: true,
      help: 'only in this namespace, with Roles; what has no namespace, or is read in all, keeps a ClusterRole; repeatable',
    },
    pin: {
      type: 'string',
      multiple: true,
      help: 'pin rights to these objects, where a definition allows it; Secrets and streams into pods are granted for named objects only',
    },
    subject: {
      type: 'string',
      help: 'bind all roles to this user or ServiceAccount, which nothing else may use: its policy refuses every other write (default: one user per function)',
    },
    impersonate: {
      type: 'string',
      help: 'let this ServiceAccount act as the users of these remediations, and as no other user: for functions that share one token (docs/aws.md)',
    },
    'no-exporter': { type: 'boolean', help: "leave the exporter's role out: its Helm chart brings its own" },
    'no-secrets': {
      type: 'boolean',
      help: "leave Secrets out of the exporter's role: it then reports that it does not see them, and rules about Secrets match nothing",
    },
    'no-policies': { type: 'boolean', help: 'leave the admission policies out: Kubernetes before 1.30 does not know them' },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    if (call.values.aws) {
      const roles = await awsRoles(call);
      if (call.json) call.out(JSON.stringify({ roles }));
      else call.text(documents(roles));
      return 0;
    }
    const onlyAws = ['stage', 'region', 'account'].find((name) => call.values[name] !== undefined);
    if (onlyAws) throw new UsageError(`--${onlyAws} is about IAM: give --aws too`);
    const all = await loadRemediations();
    const wanted = wantedOf(call, all);
    const reach = reachOf(call, all);
    const remediations = all.filter(({ name }) => wanted(name));
    const granted = call.values.shadow ? remediations.map(readOnly) : remediations;
    const impersonating = impersonatorOf(call, remediations);
    const watched = wanted(EXPORTER) && !call.values['no-exporter'] ? watchedBy(call, all) : [];
    const exporter = watched.length > 0 ? exporterRbac(watched, reach.subject) : [];
    const roles = granted.flatMap((one) => remediationRbac(one, reach));
    for (const one of granted) for (const note of notesOf(one, reach)) call.err(note);
    if (watched.some(isSecrets)) call.err(SECRETS_OF_EXPORTER);
    if (granted.some((one) => withheldRights(one, reach).length > 0) || roles.some(({ kind }) => kind === 'Role')) call.err(TAKE_BACK);
    // A stream into a pod is opened with `create`, in shadow mode too.
    const acting = granted.filter((one) =>
      remediationRbac(one, reach).some(({ rules }) => JSON.stringify(rules ?? []).includes('"create"')),
    );
    const held = remediations.filter(({ name }) => acting.some((one) => one.name === name));
    // Its commands, though, only read there.
    const declared = (reach.subject ? all : held).map((one) => (call.values.shadow ? { ...one, rights: readOnly(one).rights } : one));
    const policies = call.values['no-policies'] || held.length === 0 ? [] : admissionPolicies(declared, reach.subject);
    const objects = [
      // Before the roles, so that no moment passes in which they hold alone. A shared identity has one policy, for all that it may ever be granted.
      ...policies,
      ...exporter,
      ...roles,
      ...impersonating,
    ];
    if (call.json) call.out(JSON.stringify({ objects }));
    else call.text(documents(objects));
    return 0;
  },
};

const SECRETS_OF_EXPORTER =
  'Granted to the exporter: list and watch on secrets in ALL namespaces. It requests metadata only, but whoever has its token can read the data. ' +
  '--namespace does not narrow this: the exporter watches all namespaces. To leave it out, add --no-secrets';
const TAKE_BACK =
  'kubectl apply removes nothing: to take back a --pin or --namespace of an earlier run, first run: ' +
  'kubectl delete clusterrole,clusterrolebinding,role,rolebinding -A -l app.kubernetes.io/part-of=kubemend,app.kubernetes.io/component=OPERATOR.FAILURE';

const isSecrets = ({ group, resource }: { group: string; resource: string }): boolean => group === '' && resource === 'secrets';

/** What the exporter's role lists and watches. */
function watchedBy({ values }: Call, all: Remediation[]): { group: string; resource: string }[] {
  const { resources } = subscriptions(all.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern }))));
  return resources.filter((one) => !(values['no-secrets'] && isSecrets(one)));
}

function impersonatorOf(call: Call, remediations: Remediation[]) {
  const account = text(call, 'impersonate');
  if (account === undefined) return [];
  if (call.values.subject !== undefined)
    throw new UsageError('--impersonate is for one user per function; with --subject all of them share one identity: give one of the two');
  if (remediations.length === 0) throw new UsageError('--impersonate needs a remediation: whose user should it act as?');
  const subject = parseSubject(account);
  if (subject?.kind !== 'ServiceAccount') throw new UsageError(`--impersonate takes NAMESPACE/SERVICEACCOUNT, got "${account}"`);
  return impersonationRbac(
    remediations.map(({ name }) => name),
    subject,
  );
}

/** Whether `--only` asks for a name; without it, every name. */
function wantedOf({ values }: Call, all: Remediation[]): (name: string) => boolean {
  const only = [values.only ?? []].flat().map(String);
  const names = [...all.map(({ name }) => name), EXPORTER];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: unknown name; use one of ${names.join(', ')}`);
  return (name) => only.length === 0 || only.includes(name);
}

function reachOf(call: Call, all: Remediation[]): Reach {
  const known = new Set(all.flatMap(({ rights }) => rights.flatMap(({ pinned, pinnable }) => pinned ?? pinnable ?? [])));
  const namespaces = [call.values.namespace ?? []].flat().map(String);
  const wrong = namespaces.find((name) => !isNamespace(name));
  if (wrong !== undefined) throw new UsageError(`--namespace ${wrong}: not a valid namespace name`);
  return { subject: subjectOf(call), pins: pinsOf(call, [...known]), namespaces };
}

/** What is not granted until it is asked for, and how to ask. */
const notesOf = (one: Pick<Remediation, 'name' | 'rights'>, reach: Reach): string[] =>
  withheldRights(one, reach).map(({ resources, verbs, pinned }) => {
    const how = pinned ? `--pin ${pinned}=NAMESPACE/OBJECT,…` : '--namespace NAMESPACE';
    return `Not granted to ${one.name}: ${verbs.join(' and ')} on ${resources.join(', ')}. To grant it, add ${how}`;
  });

const documents = (objects: object[]): string =>
  objects
    .map((object) => stringify(object))
    .join('---\n')
    .trimEnd();

function pinsOf({ values }: Call, known: string[]): Pins {
  const pins: Pins = {};
  for (const pin of [values.pin ?? []].flat().map(String)) {
    const [name = '', objects = ''] = pin.split('=');
    if (!known.includes(name)) throw new UsageError(`--pin ${pin}: unknown name "${name}"; use one of ${known.join(', ')}`);
    pins[name] = [...(pins[name] ?? []), ...objects.split(',').map((object) => objectOf(pin, object))];
  }
  return pins;
}

function objectOf(pin: string, text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0 || !isNamespace(namespace) || !isName(name))
    throw new UsageError(`--pin takes NAME=NAMESPACE/OBJECT,…, got "${pin}"`);
  return { namespace, name };
}

function subjectOf(call: Call): Subject | undefined {
  const wanted = text(call, 'subject');
  if (wanted === undefined) return undefined;
  const subject = parseSubject(wanted);
  if (!subject) throw new UsageError(`--subject takes USER or NAMESPACE/SERVICEACCOUNT, got ${JSON.stringify(wanted)}`);
  return subject;
}

/** `USER` or `NAMESPACE/SERVICEACCOUNT`; undefined for what the API server takes as neither. */
function parseSubject(text: string): Subject | undefined {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || rest.length > 0 || name === '') return undefined;
  if (name === undefined ? !isUser(namespace) : !isNamespace(namespace) || !isName(name)) return undefined;
  return name === undefined ? { kind: 'User', name: namespace } : { kind: 'ServiceAccount', namespace, name };
}

// What the API server takes as names. A policy with another is refused while the roles beside it are created, and would then be held by nothing.
const isNamespace = (name: string): boolean => name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
const isName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name);
/** A user's name may hold anything but what breaks a line or is no text: a message of a policy is one line. */
const isUser = (name: string): boolean => name.length <= 1_000 && name.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
