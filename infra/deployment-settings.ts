import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { parseClusters } from './lambda/clusters.ts';
import { parseLimits } from './lambda/limits.ts';
import { remediationNames } from './remediations.ts';
import { type SlackSettings, slackSettings } from './slack-settings.ts';

/** Everything that the one who deploys gives, read and checked: the template, the packages and `kubemend rights --aws` come from it. */
export interface DeploymentSettings {
  /** JSON by name, as it is packed beside each function, see lambda/clusters.ts. A function never acts on a cluster that is not in it. */
  clusters: string;
  /** The names or ARNs of the secrets with the clusters' tokens. */
  tokenSecrets: string[];
  /** JSON by remediation, see lambda/limits.ts. */
  limits: Record<string, string>;
  /** ARN of a key for table, bucket, queue of appointments, bus and archive; without it they have keys of AWS. */
  key: string | undefined;
  /** ARN of the SNS topic that alarms go to; without it they are only shown. */
  alarmTopic: string | undefined;
  /** ARNs of the exporters' roles in other accounts: they may put facts on the bus. */
  exporters: string[];
  /** Where the functions that act run, for API servers without a public address. Absent: outside a VPC. */
  network: { subnetIds: string[]; securityGroupIds: string[] } | undefined;
  /** Where Slack is; undefined: no functions of Slack. */
  slack: SlackSettings | undefined;
}

/** An installation with nothing set: it knows no cluster. */
export const NO_SETTINGS: DeploymentSettings = {
  ...{ clusters: '{}', tokenSecrets: [], limits: {}, exporters: [] },
  ...{ key: undefined, alarmTopic: undefined, network: undefined, slack: undefined },
};

type Variables = Record<string, string | undefined>;

const PATTERNS = {
  KUBEMEND_KMS_KEY: [/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, 'the ARN of a key'],
  KUBEMEND_ALARM_TOPIC: [/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$/, 'the ARN of an SNS topic'],
  KUBEMEND_EXPORTERS: [/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=.@/-]+$/, 'the ARN of a role'],
  KUBEMEND_SUBNETS: [/^subnet-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a subnet'],
  KUBEMEND_SECURITY_GROUPS: [/^sg-([0-9a-f]{8}|[0-9a-f]{17})$/, 'the id of a security group'],
} as const;

/** Reads the variables that docs/aws.md lists; a KUBEMEND_CLUSTERS that is no JSON names a file. Throws an error that names the variable that is wrong. */
export function deploymentSettings(variables: Variables): DeploymentSettings {
  const clusters = clusterText(variables.KUBEMEND_CLUSTERS ?? '');
  const [key, alarmTopic] = [listed(variables, 'KUBEMEND_KMS_KEY'), listed(variables, 'KUBEMEND_ALARM_TOPIC')];
  for (const [name, { length }] of [
    ['KUBEMEND_KMS_KEY', key],
    ['KUBEMEND_ALARM_TOPIC', alarmTopic],
  ] as const)
    if (length > 1) throw new Error(`${name} takes one ARN, not ${length}`);
  return {
    clusters,
    tokenSecrets: Object.values(parseClusters(clusters)).flatMap(({ tokenSecret }) => tokenSecret ?? []),
    limits: limitsOf(variables.KUBEMEND_LIMITS ?? ''),
    ...{ key: key[0], alarmTopic: alarmTopic[0] },
    exporters: listed(variables, 'KUBEMEND_EXPORTERS'),
    network: networkOf(variables),
    slack: slackSettings(variables),
  };
}

function clusterText(given: string): string {
  if (given.trim() === '' || given.trim().startsWith('{')) return given.trim() || '{}';
  try {
    return readFileSync(given, 'utf8');
  } catch (error) {
    throw new Error(`KUBEMEND_CLUSTERS is neither JSON nor a file with it: ${(error as Error).message}`);
  }
}

/** By remediation; each is checked as its function will. */
function limitsOf(given: string): Record<string, string> {
  const result = z.record(z.string(), z.unknown()).safeParse(given.trim() === '' ? {} : parsed(given));
  if (!result.success) throw new Error('KUBEMEND_LIMITS is no JSON object: {"<remediation>": {"stableFor": "60s"}}');
  return Object.fromEntries(
    Object.entries(result.data).map(([name, limits]) => {
      const names = remediationNames();
      if (!names.includes(name))
        throw new Error(`KUBEMEND_LIMITS names "${name}", which is no remediation; there are: ${names.join(', ')}`);
      const text = JSON.stringify(limits);
      parseLimits(text);
      return [name, text];
    }),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function networkOf(variables: Variables): DeploymentSettings['network'] {
  const [subnetIds, securityGroupIds] = [listed(variables, 'KUBEMEND_SUBNETS'), listed(variables, 'KUBEMEND_SECURITY_GROUPS')];
  if (subnetIds.length === 0 && securityGroupIds.length === 0) return undefined;
  if (subnetIds.length === 0) throw new Error('KUBEMEND_SECURITY_GROUPS needs KUBEMEND_SUBNETS too');
  if (securityGroupIds.length === 0) throw new Error('KUBEMEND_SUBNETS needs KUBEMEND_SECURITY_GROUPS too');
  return { subnetIds, securityGroupIds };
}

/** What a variable lists by comma, each of its form. */
function listed(variables: Variables, name: keyof typeof PATTERNS): string[] {
  const [pattern, form] = PATTERNS[name];
  const values = (variables[name] ?? '').split(',').flatMap((one) => one.trim() || []);
  const wrong = values.find((value) => !pattern.test(value));
  if (wrong !== undefined) throw new Error(`${name}: "${wrong}" is not ${form}`);
  return values;
}
