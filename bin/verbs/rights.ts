import { stringify } from 'yaml';
import { subscriptions } from '../../events/exporter/rules.ts';
import { exporterRbac, readOnly, remediationRbac, type Subject } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { type Call, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'print the RBAC that the exporter and each remediation need, exactly; for shadow mode: only reading',
  usage: 'rights [--shadow] [--subject USER | --subject NAMESPACE/SERVICEACCOUNT] [--zookeeper NAMESPACE/POD,…]',
  examples: ['kubemend rights', 'kubemend rights --shadow --subject kubemend/kubemend | kubectl apply -f -'],
  options: {
    shadow: { type: 'boolean', help: 'leave every right to write out' },
    zookeeper: { type: 'string', help: 'the ZooKeeper pods that may be reached by port-forward (default: none)' },
    subject: { type: 'string', help: 'bind all roles to this user or ServiceAccount (default: one user per function)' },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const remediations = await loadRemediations();
    const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
    const subject = subjectOf(call);
    const shown = call.values.shadow ? remediations.map(readOnly) : remediations;
    const objects = [
      ...exporterRbac(subscriptions(rules).resources, subject),
      ...shown.flatMap((remediation) => remediationRbac(remediation, subject, { 'zookeeper-pods': podsOf(call) })),
    ];
    if (call.json) call.out(JSON.stringify({ objects }));
    else
      call.out(
        objects
          .map((object) => stringify(object))
          .join('---\n')
          .trimEnd(),
      );
    return 0;
  },
};

function podsOf(call: Call): { namespace: string; name: string }[] {
  const named = text(call, 'zookeeper')?.split(',') ?? [];
  return named.map((pod) => {
    const [namespace, name, ...rest] = pod.split('/');
    if (!namespace || !name || rest.length > 0) throw new UsageError(`"${pod}" is not NAMESPACE/POD`);
    return { namespace, name };
  });
}

function subjectOf(call: Call): Subject | undefined {
  const wanted = text(call, 'subject');
  if (wanted === undefined) return undefined;
  const [namespace, name, ...rest] = wanted.split('/');
  if (!namespace || rest.length > 0 || name === '') throw new UsageError(`"${wanted}" is neither a user nor NAMESPACE/SERVICEACCOUNT`);
  return name === undefined ? { kind: 'User', name: namespace } : { kind: 'ServiceAccount', namespace, name };
}
