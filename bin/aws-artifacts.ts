import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Artifacts } from '../shared/artifacts/artifacts.ts';
import { s3Bucket } from '../shared/artifacts/bucket.ts';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import { S3Artifacts } from '../shared/artifacts/s3.ts';

const SHIPPED = join(import.meta.dirname, '../artifacts');

/**
 * The documents in the bucket of an installation in AWS, beside those that ship with kubemend. With the credentials and, unless it is given,
 * the region that the AWS CLI would use: any AWS client of the SDK finds them. Only a person's role may write documents (docs/aws.md).
 */
export async function bucketArtifacts(name: string, region?: string, endpoint?: string): Promise<Artifacts> {
  const { config } = new DynamoDBClient({ ...(region !== undefined && { region }) });
  const credentials = await config.credentials();
  const bucket = s3Bucket({ name, region: await config.region(), credentials: () => credentials, endpoint, wait: delay });
  return new S3Artifacts({ bucket, shipped: new DirectoryArtifacts({ directory: SHIPPED, shipped: SHIPPED }) });
}
