import { createHash } from 'node:crypto';
import { EVENT_REASONS } from '../../shared/announce.ts';
import { FIELD_MANAGER } from '../../shared/kubemend-marks.ts';
import type { Remediation, Right } from '../../shared/remediation.ts';
import type { Write } from '../../shared/write.ts';
import { conditionOf } from './admission-conditions.ts';
import { describeWrite } from './describe-write.ts';
import { identityOf, type Subject } from './rbac.ts';

/** A ValidatingAdmissionPolicy or its binding (admissionregistration.k8s.io/v1: Kubernetes 1.30 and newer), ready to be applied. */
export interface AdmissionObject {
  apiVersion: 'admissionregistration.k8s.io/v1';
  kind: 'ValidatingAdmissionPolicy' | 'ValidatingAdmissionPolicyBinding';
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<string, unknown>;
}

/**
 * What RBAC cannot express: an identity may send nothing but the writes that its definition declares, whatever its roles say.
 * One policy per identity. With a shared `subject` it is one policy for all remediations, so give all of them, also those that get no role.
 */
export const admissionPolicies = (remediations: Pick<Remediation, 'name' | 'rights' | 'writes'>[], subject?: Subject): AdmissionObject[] =>
  subject === undefined
    ? remediations.flatMap((one) => policyOf(nameOf(one.name), identityOf(one.name), [one]))
    : policyOf(sharedName(subject), usernameOf(subject), remediations);

/** How the API server calls a subject: what a policy compares with. */
export const usernameOf = (subject: Subject): string =>
  subject.kind === 'User' ? subject.name : `system:serviceaccount:${subject.namespace}:${subject.name}`;

/** Names of policies are DNS names: no colons. */
const nameOf = (remediation: string): string => `kubemend.${remediation.replace('/', '.')}`;

/** Of an object, in characters (DNS subdomain). */
const LONGEST_NAME = 253;

/** A user's name may hold anything: a part of its hash tells two apart that look the same without. */
function sharedName(subject: Subject): string {
  const hash = createHash('sha256').update(usernameOf(subject)).digest('hex').slice(0, 8);
  if (subject.kind === 'ServiceAccount') {
    const whole = `kubemend.serviceaccount.${subject.namespace}.${subject.name}`;
    return whole.length <= LONGEST_NAME ? whole : `kubemend.serviceaccount.${subject.namespace}.${hash}`;
  }
  const readable = subject.name
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.join('-')
    .slice(0, 100);
  return `kubemend.user.${[...(readable ? [readable] : []), hash].join('-')}`;
}

function policyOf(name: string, username: string, remediations: Pick<Remediation, 'rights' | 'writes'>[]): AdmissionObject[] {
  const rules = [EVENTS, ...remediations.flatMap(({ rights, writes }) => [...writes.map(ruleOf), ...streams(rights)])];
  const byRequest = Map.groupBy(rules, ({ request }) => request);
  const allowed = [...byRequest.keys()];
  const head = {
    apiVersion: 'admissionregistration.k8s.io/v1' as const,
    metadata: { name, labels: { 'app.kubernetes.io/part-of': 'kubemend' } },
  };
  return [
    {
      ...head,
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }] },
        matchConditions: [{ name: 'identity', expression: `request.userInfo.username == ${JSON.stringify(username)}` }],
        variables: [{ name: 'request', expression: REQUEST }],
        validations: [
          {
            expression: `variables.request in [\n  ${allowed.map((one) => JSON.stringify(one)).join(',\n  ')}\n]`,
            messageExpression: `${JSON.stringify(`${username} declares no such write: `)} + variables.request`,
            message: `${username} declares no such write`,
            reason: 'Forbidden',
          },
          ...[...byRequest].flatMap(([request, its]) => {
            const conditions = its.flatMap(({ condition }) => condition ?? []);
            if (conditions.length < its.length) return [];
            return [
              {
                expression: `variables.request != ${JSON.stringify(request)} || (\n${conditions.map((one) => indented(one)).join('\n) || (\n')}\n)`,
                message: `${username} may not do this: ${its.map(({ message }) => message).join('; or ')}`,
                reason: 'Forbidden',
              },
            ];
          }),
        ],
      },
    },
    {
      ...head,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: name, validationActions: ['Deny', 'Audit'] },
    },
  ];
}

/** `UPDATE apps/deployments`, `CREATE /pods/eviction` */
const REQUEST = `request.operation + " " + request.resource.group + "/" + request.resource.resource +
(has(request.subResource) && request.subResource != "" ? "/" + request.subResource : "")`;

/** What a request may be, the condition it must meet (none: any), and both for people. */
interface Rule {
  request: string;
  condition?: string;
  message: string;
}

const EVENTS: Rule = {
  request: 'CREATE events.k8s.io/events',
  condition: [`object.reportingController.startsWith("${FIELD_MANAGER}.dev/")`, `object.reason in ${JSON.stringify(EVENT_REASONS)}`].join(
    ' &&\n',
  ),
  message: `it creates Events of the controllers ${FIELD_MANAGER}.dev/…, with the reasons that kubemend gives`,
};

const OPERATIONS = { patch: 'UPDATE', apply: 'UPDATE', create: 'CREATE', delete: 'DELETE' } as const;

const ruleOf = (write: Write): Rule => ({
  request: `${OPERATIONS[write.operation]} ${write.group}/${write.resource}`,
  condition: conditionOf(write),
  message: `it ${describeWrite(write).replaceAll('`', '')}`,
});

/** A stream into a pod (exec, port-forward): RBAC names the pods. A policy sees the command of an exec, and never what flows through a stream. */
const streams = (rights: Right[]): Rule[] =>
  rights.flatMap(({ group, resources, verbs, commands: reading, writeCommands = [] }) => {
    const commands = reading && [...reading, ...writeCommands];
    return resources
      .filter((resource) => resource.includes('/') && verbs.includes('create'))
      .map((resource) => ({
        request: `CONNECT ${group}/${resource}`,
        ...(resource.endsWith('/portforward') ? {} : { condition: execOf(commands ?? []) }),
        message: commands ? `it runs only ${commands.map((words) => words.join(' ')).join(', or ')}` : `it opens ${resource}`,
      }));
  });

/** Each word by itself: joined words say nothing about where one ends, and a word of one command may hold another command. */
const execOf = (commands: string[][]): string =>
  [
    '(!has(object.stdin) || !object.stdin)',
    '(!has(object.tty) || !object.tty)',
    `(${commands.map(wordsOf).join(' ||\n') || 'false'})`,
  ].join(' &&\n');

const wordsOf = (words: string[]): string =>
  [
    `object.command.size() == ${words.length}`,
    ...words.map((word, index) => `object.command[${index}].matches(${JSON.stringify(`^(?:${word})$`)})`),
  ].join(' && ');

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');
