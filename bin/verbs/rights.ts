import { stringify } from 'yaml';
import { subscriptions } from '../../events/exporter/reduce/rules.ts';
import { exporterRbac, type Pins, readOnly, remediationRbac, type Subject } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { awsRoles } from '../aws-rights.ts';
import { type Call, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary:
    'print the RBAC that the exporter and each remediation need, exactly; for shadow mode: only reading; with --aws: the IAM policies',
  usage:
    'rights [--shadow] [--subject USER | --subject NAMESPACE/SERVICEACCOUNT] [--pin NAME=NAMESPACE/OBJECT,…] | rights --aws [--stage NAME]',
  examples: [
    'kubemend rights',
    'kubemend rights --shadow --subject kubemend/kubemend | kubectl apply -f -',
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
    pin: {
      type: 'string',
      multiple: true,
      help: 'pin rights to these objects, where a definition allows it; `zookeeper-…` is granted nowhere without',
    },
    subject: { type: 'string', help: 'bind all roles to this user or ServiceAccount (default: one user per function)' },
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
    const remediations = await loadRemediations();
    const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
    const subject = subjectOf(call);
    const pins = pinsOf(
      call,
      remediations.flatMap(({ rights }) => rights.flatMap(({ pinned, pinnable }) => pinned ?? pinnable ?? [])),
    );
    const shown = call.values.shadow ? remediations.map(readOnly) : remediations;
    const objects = [
      ...exporterRbac(subscriptions(rules).resources, subject),
      ...shown.flatMap((remediation) => remediationRbac(remediation, subject, pins)),
    ];
    if (call.json) call.out(JSON.stringify({ objects }));
    else call.text(documents(objects));
    return 0;
  },
};

const documents = (objects: object[]): string =>
  objects
    .map((object) => stringify(object))
    .join('---\n')
    .trimEnd();

function pinsOf({ values }: Call, known: string[]): Pins {
  const pins: Pins = {};
  for (const pin of [values.pin ?? []].flat().map(String)) {
    const [name = '', objects = ''] = pin.split('=');
    if (!known.includes(name)) throw new UsageError(`There is nothing to pin called "${name}": one of ${known.join(', ')}`);
    pins[name] = [...(pins[name] ?? []), ...objects.split(',').map(objectOf)];
  }
  return pins;
}

function objectOf(text: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0) throw new UsageError(`"${text}" is not NAMESPACE/OBJECT`);
  return { namespace, name };
}

function subjectOf(call: Call): Subject | undefined {
  const wanted = text(call, 'subject');
  if (wanted === undefined) return undefined;
  const [namespace, name, ...rest] = wanted.split('/');
  if (!namespace || rest.length > 0 || name === '') throw new UsageError(`"${wanted}" is neither a user nor NAMESPACE/SERVICEACCOUNT`);
  return name === undefined ? { kind: 'User', name: namespace } : { kind: 'ServiceAccount', namespace, name };
}
