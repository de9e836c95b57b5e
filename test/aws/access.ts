import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Statement } from '../packaged-service.ts';
import { PLACE } from '../template-arns.ts';

/** Who asks, with the policies of its own identity. */
export interface Caller {
  /** ARN of its role. */
  arn: string;
  statements: Statement[];
}

/** One request to AWS, as IAM sees it. */
export interface Ask {
  action: string;
  /** ARN. */
  resource: string;
  /** Condition keys of the service: `dynamodb:LeadingKeys`. */
  context?: Record<string, string | string[]>;
}

/** Whether IAM allows a request, decided by an implementation of its rules that is not ours. Throws for a request that AWS does not know. */
export async function isAllowed(
  { arn, statements }: Caller,
  { action, resource, context = {} }: Ask,
  ofResource: Statement[] = [],
): Promise<boolean> {
  const asked = `${arn}: ${action} on ${resource}`;
  const simulated = await runSimulation(
    {
      request: {
        ...{ principal: arn, action, resource: { resource, accountId: PLACE.account } },
        contextVariables: { ...context, 'aws:PrincipalArn': arn },
      },
      identityPolicies: [{ name: 'own', policy: { Version: '2012-10-17', Statement: statements } }],
      ...{ serviceControlPolicies: [], resourceControlPolicies: [] },
      ...(ofResource.length > 0 && { resourcePolicy: { Version: '2012-10-17', Statement: ofResource } }),
    },
    { simulationMode: 'Strict' },
  );
  if (simulated.resultType !== 'single') throw new Error(`${asked}: ${JSON.stringify(simulated)}`);
  const { ignoredContextKeys: ignored = [] } = simulated.result;
  if (ignored.length > 0) throw new Error(`${asked}: IAM knows no ${ignored.join(', ')} there`);
  return simulated.overallResult === 'Allowed';
}
