import { rolePolicies } from '../infra/policies.ts';
import { withArns } from '../infra/policy-arns.ts';
import { type Call, text } from './verb.ts';

/** One IAM role as it will be: who has it, and its policy document. */
export interface AwsRole {
  role: string;
  description: string;
  service: string;
  functionName?: string;
  policy: { Version: string; Statement: unknown[] };
}

/** Every IAM role of an installation, made of what the template's roles are made of. */
export async function awsRoles(call: Call): Promise<AwsRole[]> {
  const place = {
    stage: text(call, 'stage') ?? 'dev',
    region: text(call, 'region') ?? '<region>',
    account: text(call, 'account') ?? '<account>',
  };
  const secrets = [call.values['token-secret'] ?? []].flat().map(String);
  const clusters = Object.fromEntries(secrets.map((tokenSecret) => [tokenSecret, { tokenSecret }]));
  const policies = await rolePolicies(place.stage, { clusters, key: text(call, 'kms-key') });
  return Promise.all(
    policies.map(async ({ role, description, service, functionName, statements }) => ({
      ...{ role, description, service, ...(functionName && { functionName }) },
      policy: { Version: '2012-10-17', Statement: await withArns(statements, place) },
    })),
  );
}
