import type { Resources } from './template-dead-letters.ts';

/** What could take incidents, pins or backups away. */
export function problemsOfKept(resources: Resources): string[] {
  const kept = Object.entries(resources).filter(
    ([id, { Type }]) => ['AWS::DynamoDB::Table', 'AWS::S3::Bucket'].includes(Type) && id !== 'ServerlessDeploymentBucket',
  );
  return kept.flatMap(([id, resource]) => {
    const { Type, Properties, DeletionPolicy, UpdateReplacePolicy } = resource as typeof resource & Record<string, string | undefined>;
    const [on, wanted] =
      Type === 'AWS::S3::Bucket'
        ? [Properties.VersioningConfiguration, { Status: 'Enabled' }]
        : [Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true }];
    const closed = (Properties.PublicAccessBlockConfiguration ?? {}) as Record<string, boolean>;
    const open = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].filter(
      (one) => closed[one] !== true,
    );
    return [
      ...(JSON.stringify(on) === JSON.stringify(wanted) ? [] : [`What is overwritten or deleted in ${id} cannot be had back`]),
      ...(DeletionPolicy?.startsWith('Retain') && UpdateReplacePolicy === 'Retain'
        ? []
        : [`${id} is deleted with the stack or a change of it`]),
      ...(Type === 'AWS::S3::Bucket' && open.length > 0 ? [`${id} may be made public: ${open.join(', ')}`] : []),
    ];
  });
}
