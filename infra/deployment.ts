import type { Remediation } from '../shared/remediation.ts';
import { loadRemediations } from './remediations.ts';

/** How one remediation is named where it is deployed. */
export interface DeployedFunction extends DeployedName {
  remediation: Remediation;
}

/** How a function is named where it is deployed. */
export interface DeployedName {
  /** Key in serverless.yml: `strimzi-upgrade-stale-crds`. */
  key: string;
  /** Of the Lambda function: `kubemend-<stage>-<operator>-<failure>`. */
  functionName: string;
  /** Names of its rules on the bus, one per pattern of `when`. */
  ruleNames: string[];
  /** Prefix of its CloudFormation resources, as osls makes it of the key. */
  logicalId: string;
}

/** AWS: function and rule names. */
const LONGEST = 64;

/** All remediations as they are deployed to a stage. Throws where a name is too long for AWS. */
export async function deployedFunctions(stage: string, remediations?: Remediation[]): Promise<DeployedFunction[]> {
  return (remediations ?? (await loadRemediations())).map((remediation) => {
    const key = remediation.name.replace('/', '-');
    const ruleNames = remediation.when.map((_, index) => `${key}-${index + 1}`);
    return { remediation, ...deployedName(remediation.name, stage, ruleNames) };
  });
}

/** The one function that has no remediation: it hands over what is due. Its rule is a clock. */
export const continueFunction = (stage: string): DeployedName =>
  deployedName('kubemend/continue-incident', stage, [`kubemend-${stage}-take-up`]);

/** Tells Slack: a rule on our bus, and a clock. Only where Slack is configured (slack-settings.ts). */
export const notifyFunction = (stage: string): DeployedName =>
  deployedName('kubemend/notify-slack', stage, ['kubemend-notify-slack-1', `kubemend-${stage}-tell-slack`]);

/** Takes clicks: an address, no rule. Only where Slack is configured to take answers. */
export const answerFunction = (stage: string): DeployedName => deployedName('kubemend/answer-slack', stage, []);

function deployedName(name: string, stage: string, ruleNames: string[]): DeployedName {
  const key = name.replace('/', '-');
  const functionName = `kubemend-${stage}-${key}`;
  const long = [functionName, ...ruleNames].find((one) => one.length > LONGEST);
  if (long) throw new Error(`"${long}" has ${long.length} characters, AWS takes ${LONGEST}: shorten functions/${name} or the stage`);
  const logicalId = `${key.charAt(0).toUpperCase()}${key.slice(1)}`.replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  return { key, functionName, ruleNames, logicalId };
}
