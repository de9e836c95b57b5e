import { answerFunction, continueFunction, type DeployedFunction, deployedFunctions, notifyFunction } from '../infra/deployment.ts';
import { type Ask, type Caller, isAllowed } from './aws/access.ts';
import { type Statement, statementsOf } from './packaged-service.ts';
import { arnIn, deployed } from './template-arns.ts';
import type { Resources } from './template-dead-letters.ts';
import {
  actingThreats,
  answerThreats,
  continueThreats,
  notifyThreats,
  type Request,
  schedulerThreats,
  type Threat,
  type Threats,
} from './threats-aws.ts';

/** A kind that a remediation may write, as its leases name it. */
const writtenKind = ({ remediation }: DeployedFunction): string => {
  const right = remediation.rights.find(
    ({ group, verbs }) => group !== 'events.k8s.io' && verbs.some((verb) => ['create', 'patch'].includes(verb)),
  );
  return `${right?.group}/${right?.resources[0]?.split('/')[0]}`;
};

/** What is said of each role, by its logical id. */
export async function threatsByRole(): Promise<Map<string, Threats>> {
  const functions = await deployedFunctions('dev');
  const acting = `${functions[0]?.logicalId}LambdaFunction`;
  const roleOf = ({ logicalId }: { logicalId: string }): string => `${logicalId}Role`;
  return new Map([
    ...functions.map((one, index): [string, Threats] => {
      const other = functions[(index + 1) % functions.length] as DeployedFunction;
      const [{ name }, { name: others }] = [one.remediation, other.remediation];
      return [
        roleOf(one),
        actingThreats({ name, logicalId: one.logicalId, kind: writtenKind(one) }, { name: others, logicalId: other.logicalId }),
      ];
    }),
    [roleOf(continueFunction('dev')), continueThreats(acting)],
    [roleOf(notifyFunction('dev')), notifyThreats(acting)],
    [roleOf(answerFunction('dev')), answerThreats(acting)],
    ['AppointmentsRole', schedulerThreats(acting)],
  ]);
}

/** Most templates under test differ in no role, and an answer takes milliseconds. */
const answered = new Map<string, Promise<string[]>>();

/** What a stolen role could do that docs/threat-model-aws.md says it cannot, and the other way round: one sentence each. */
export async function problemsOfAccess(resources: Resources): Promise<string[]> {
  const problems: string[] = [];
  for (const [role, { can, cannot }] of await threatsByRole()) {
    const properties = resources[role]?.Properties;
    // Slack's, where there is none.
    if (!properties) continue;
    const caller = { arn: arnIn(resources, role), statements: deployed(resources, statementsOf(properties.Policies)) as Statement[] };
    const asked = [...can.flatMap(requestsOf(resources, true)), ...cannot.flatMap(requestsOf(resources, false))];
    const key = JSON.stringify([caller, asked]);
    const answer = answered.get(key) ?? wrong(role, caller, asked);
    answered.set(key, answer);
    problems.push(...(await answer));
  }
  return problems;
}

interface Asked {
  ask: Ask;
  wanted: boolean;
  /** Of it, for people. */
  what: string;
}

const requestsOf =
  (resources: Resources, wanted: boolean) =>
  ({ says, requests }: Threat): Asked[] =>
    requests.map((request) => {
      const { action, on, keys, context } = request;
      const ask = {
        action,
        resource: resourceOf(resources, request),
        context: { ...context, ...(keys && { 'dynamodb:LeadingKeys': keys }) },
      };
      return { ask, wanted, what: `${action} on ${[on, ...(keys ?? [])].join(' ')}: ${says}` };
    });

async function wrong(role: string, caller: Caller, asked: Asked[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { ask, wanted, what } of asked)
    if ((await isAllowed(caller, ask)) !== wanted) problems.push(`${role} ${wanted ? 'cannot' : 'can'} ${what}`);
  return problems;
}

function resourceOf(resources: Resources, { on }: Request): string {
  if (on.startsWith('arn:')) return on;
  const [id = '', ...path] = on.split('/');
  return [arnIn(resources, id), ...path].join('/');
}
