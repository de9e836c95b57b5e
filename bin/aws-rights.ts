import { deploymentSettings } from '../infra/deployment-settings.ts';
import { rolePolicies } from '../infra/policies.ts';
import { withArns } from '../infra/policy-arns.ts';
import { type Call, text, UsageError } from './verb.ts';

/** One IAM role as it will be: who has it, and its policy document. */
export interface AwsRole {
  role: string;
  description: string;
  service: string;
  functionName?: string;
  policy: { Version: string; Statement: unknown[] };
}

/** Every IAM role of an installation, made of what the template's roles are made of, with the same variables. */
export async function awsRoles(call: Call): Promise<AwsRole[]> {
  const place = {
    stage: text(call, 'stage') ?? 'dev',
    region: text(call, 'region') ?? '<region>',
    account: text(call, 'account') ?? '<account>',
  };
  const policies = await rolePolicies(place.stage, settingsOf(call));
  return Promise.all(
    policies.map(async ({ role, description, service, functionName, statements }) => ({
      ...{ role, description, service, ...(functionName && { functionName }) },
      policy: { Version: '2012-10-17', Statement: await withArns(statements, place) },
    })),
  );
}

function settingsOf({ environment }: Call) {
  try {
    return deploymentSettings(environment.deployment);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
