import { continueFunction, deployedFunctions } from '../../infra/deployment.ts';
import { rolePolicies } from '../../infra/policies.ts';
import { withArns } from '../../infra/policy-arns.ts';
import type { Statement } from '../packaged-service.ts';
import { PLACE } from '../template-arns.ts';
import { type Ask, type Caller, isAllowed } from './access.ts';
import { type Call, type FaultProxy, startFaultProxy } from './fault-proxy.ts';

/** moto enforces no policy. This stands before it for one function, and refuses what the function's role does not allow. */
export interface RoleProxy {
  endpoint: string;
  /** What was refused. */
  denied: string[];
  stop(): Promise<void>;
}

const here = (service: string, rest: string): string => `arn:aws:${service}:${PLACE.region}:${PLACE.account}:${rest}`;
const [TABLE, BUCKET, GROUP] = ['table/kubemend-dev', 'arn:aws:s3:::kubemend-dev-artifacts-x', 'kubemend-dev-appointments'];
const APPOINTMENTS_ROLE = `arn:aws:iam::${PLACE.account}:role/kubemend-dev-AppointmentsRole-x`;

interface TableCall {
  IndexName?: string;
  Key?: { pk: { S: string } };
  Item?: Record<string, { S?: string }>;
  ExpressionAttributeValues?: Record<string, { S?: string }>;
}

/**
 * What IAM is asked for a call, as if its table, bus, queue and bucket had the names of the deployment. A GET of S3 also needs the right to list: without
 * it a missing object is answered "forbidden". Throws for a call of which that is not known.
 */
export function asksOf({ service, action, body }: Call): Ask[] {
  switch (service) {
    case 'dynamodb': {
      const { IndexName, Key, Item, ExpressionAttributeValues: values } = JSON.parse(body) as TableCall;
      const key = Key?.pk.S ?? Item?.pk?.S ?? values?.[':pk']?.S ?? values?.[':shelf']?.S ?? '';
      const context = { 'dynamodb:LeadingKeys': [key], ...(Item && { 'dynamodb:Attributes': Object.keys(Item) }) };
      return [{ action: `dynamodb:${action}`, resource: here('dynamodb', IndexName ? `${TABLE}/index/${IndexName}` : TABLE), context }];
    }
    case 'events': {
      const { Entries } = JSON.parse(body) as { Entries: { Source: string }[] };
      const context = { 'events:source': Entries.map(({ Source }) => Source) };
      return [{ action: `events:${action}`, resource: here('events', 'event-bus/kubemend-dev'), context }];
    }
    case 'sqs':
      return [{ action: `sqs:${action}`, resource: here('sqs', GROUP) }];
    case 'scheduler': {
      const context = { 'iam:PassedToService': 'scheduler.amazonaws.com' };
      const name = /^POST \/schedules\/(.+)$/.exec(action)?.[1];
      if (name === undefined) break;
      return [
        { action: 'scheduler:CreateSchedule', resource: here('scheduler', `schedule/${GROUP}/${name}`) },
        { action: 'iam:PassRole', resource: APPOINTMENTS_ROLE, context },
      ];
    }
    case 's3': {
      const [, method = '', key] = /^(GET|PUT) \/[^/]+\/(.*)$/.exec(decodeURIComponent(action)) ?? [];
      if (key === undefined) break;
      const list = { action: 's3:ListBucket', resource: BUCKET };
      if (method === 'PUT') return [{ action: 's3:PutObject', resource: `${BUCKET}/${key}` }];
      return key === '' ? [list] : [{ action: 's3:GetObject', resource: `${BUCKET}/${key}` }, list];
    }
  }
  throw new Error(`test/aws/as-role.ts does not know what ${service} ${action} asks of IAM`);
}

/** The roles of the deployment by function: `strimzi/upgrade-stale-crds`, `kubemend/continue-incident`. */
async function callers(): Promise<Map<string, Caller>> {
  const names = new Map([...(await deployedFunctions('dev')).map((one): [string, string] => [one.functionName, one.remediation.name])]);
  names.set(continueFunction('dev').functionName, 'kubemend/continue-incident');
  const found = new Map<string, Caller>();
  for (const { role, functionName = '', statements } of await rolePolicies('dev')) {
    const name = names.get(functionName);
    const own = JSON.stringify(await withArns(statements, { stage: 'dev', ...PLACE })).replaceAll('<random>', 'x');
    if (name) found.set(name, { arn: `arn:aws:iam::${PLACE.account}:role/${role}`, statements: JSON.parse(own) as Statement[] });
  }
  return found;
}

/** One proxy per function in front of moto. */
export async function startRoleProxies(moto: string): Promise<Map<string, RoleProxy>> {
  const proxies = new Map<string, RoleProxy>();
  for (const [name, caller] of await callers()) {
    const proxy = await startFaultProxy(moto, 0);
    const denied: string[] = [];
    proxy.intercept = guarding(caller, denied);
    proxies.set(name, { endpoint: proxy.endpoint, denied, stop: proxy.stop });
  }
  return proxies;
}

/** Most calls ask the same of IAM. */
const guarding = (caller: Caller, denied: string[]): FaultProxy['intercept'] => {
  const answered = new Map<string, Promise<boolean>>();
  return async (call) => {
    for (const ask of asksOf(call)) {
      const key = JSON.stringify(ask);
      const answer = answered.get(key) ?? isAllowed(caller, ask);
      answered.set(key, answer);
      if (await answer) continue;
      denied.push(`${caller.arn}: ${ask.action} on ${ask.resource} ${JSON.stringify(ask.context ?? {})}`);
      return { status: call.service === 's3' ? 403 : 400, error: call.service === 's3' ? 'AccessDenied' : 'AccessDeniedException' };
    }
    return undefined;
  };
};
