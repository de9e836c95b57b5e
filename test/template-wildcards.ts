import { type Statement, statementsOf } from './packaged-service.ts';
import type { Resources } from './template-dead-letters.ts';

/** Names of what does not exist yet: documents and backups, schedules, and the six characters that Secrets Manager appends. */
const OPEN = [
  /^\{"Fn::Sub":"\$\{Artifacts\.Arn\}\/(documents\/[\w-]+|backups\/[\w-]+\/[\w-]+)\/\*"\}$/,
  /^\{"Fn::Sub":"arn:[^*?]*:schedule\/\$\{AppointmentsGroup\}\/\*"\}$/,
  /^\{"Fn::Sub":"arn:[^*?]*:secretsmanager:[^*?]*:secret:[^*?]+-\?{6}"\}$/,
];

const isOpen = (value: unknown): boolean => /[*?]/.test(JSON.stringify(value) ?? '');

/** What is allowed with a wildcard that docs/aws.md does not name. What denies may be wide: osls refuses the deployment bucket to everybody without TLS. */
export function problemsOfWildcards(resources: Resources): string[] {
  return Object.entries(resources).flatMap(([id, { Properties }]) => {
    const statements = statementsOf(Properties);
    const allowed = statements.filter(({ Effect }) => Effect !== 'Deny');
    return allowed.flatMap((statement) => {
      const { Action, Principal, Resource } = statement;
      const negated = Object.keys(statement).filter((key) => key.startsWith('Not'));
      const resources = [Resource ?? []].flat().filter((one) => isOpen(one) && !OPEN.some((known) => known.test(JSON.stringify(one))));
      return [
        ...negated.map((key) => `${id} allows with ${key}`),
        ...[[Action].flat(), Principal].filter(isOpen).map((one) => `${id} allows ${JSON.stringify(one)}`),
        ...(isNetwork(statement, statements) ? [] : resources.map((one) => `${id} allows ${Action} on ${JSON.stringify(one)}`)),
      ];
    });
  });
}

/** Lambda asks for network interfaces on no resource; the function's own code is denied the same. */
const isNetwork = ({ Action, Resource }: Statement, statements: Statement[]): boolean =>
  Resource === '*' &&
  [Action].flat().every((one) => /^ec2:\w+$/.test(one)) &&
  statements.some(
    ({ Effect, Action: denied, Resource: everything, Condition }) =>
      Effect === 'Deny' &&
      everything === '*' &&
      JSON.stringify(denied) === JSON.stringify(Action) &&
      JSON.stringify(Condition).includes('"lambda:SourceFunctionArn"'),
  );
