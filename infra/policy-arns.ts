import { answerFunction, continueFunction, deployedFunctions, notifyFunction } from './deployment.ts';
import type { PolicyStatement } from './statements.ts';

/** Where an installation is, or will be. */
export interface Place {
  stage: string;
  region: string;
  account: string;
  partition?: string;
}

/** What CloudFormation appends to the names it makes. */
const RANDOM = '<random>';

/** Statements with ARNs instead of CloudFormation's functions. Throws on a resource that has no name here. */
export async function withArns(statements: PolicyStatement[], place: Place): Promise<PolicyStatement[]> {
  const arns = await arnsOf(place);
  return resolve(statements, arns) as PolicyStatement[];
}

function resolve(value: unknown, arns: Map<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(one, arns));
  if (typeof value !== 'object' || value === null) return value;
  const known = (name: string): string => {
    const arn = arns.get(name);
    if (arn === undefined) throw new Error(`infra/policy-arns.ts knows no ARN of "${name}": add it beside the others`);
    return arn;
  };
  const { 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value as { 'Fn::GetAtt'?: string[]; 'Fn::Sub'?: string };
  if (attribute === undefined && text === undefined)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolve(one, arns)]));
  if (text !== undefined) return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known(name));
  return known((attribute ?? []).join('.'));
}

/** What `GetAtt` and `Sub` name, and what it will be. */
async function arnsOf({ stage, region, account, partition = 'aws' }: Place): Promise<Map<string, string>> {
  const of = (service: string, rest: string): string => `arn:${partition}:${service}:${region}:${account}:${rest}`;
  const name = `kubemend-${stage}`;
  const deployed = [...(await deployedFunctions(stage)), continueFunction(stage), notifyFunction(stage), answerFunction(stage)];
  return new Map([
    ['AWS::Partition', partition],
    ['AWS::Region', region],
    ['AWS::AccountId', account],
    ['Bus.Arn', of('events', `event-bus/${name}`)],
    ['Table.Arn', of('dynamodb', `table/${name}`)],
    ['Appointments.Arn', of('sqs', `${name}-appointments`)],
    ['AppointmentsDeadLetters.Arn', of('sqs', `${name}-appointments-dead`)],
    ['AppointmentsGroup', `${name}-appointments`],
    ['AppointmentsRole.Arn', `arn:${partition}:iam::${account}:role/${name}-AppointmentsRole-${RANDOM}`],
    ['Artifacts.Arn', `arn:${partition}:s3:::${name}-artifacts-${RANDOM}`],
    ...deployed.flatMap(({ logicalId, functionName }): [string, string][] => [
      [`${logicalId}LogGroup.Arn`, of('logs', `log-group:/aws/lambda/${functionName}:*`)],
      [`${logicalId}DeadLetters.Arn`, of('sqs', `${functionName}-dead`)],
      [`${logicalId}LambdaFunction.Arn`, of('lambda', `function:${functionName}`)],
    ]),
  ]);
}
