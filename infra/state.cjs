// What kubemend must not forget: one table (shared/state/dynamodb.ts) and one bucket (shared/artifacts/s3.ts).
const { TABLE_SCHEMA } = require('../shared/state/dynamodb-table.ts');

const { key } = require('./settings.cjs');

const Table = {
  Type: 'AWS::DynamoDB::Table',
  // A first deployment that fails leaves nothing that the next one would meet.
  DeletionPolicy: 'RetainExceptOnCreate',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    TableName: '', // below
    ...TABLE_SCHEMA,
    TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: key ? { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: key } : { SSEEnabled: false },
  },
};

const Artifacts = {
  Type: 'AWS::S3::Bucket',
  // A first deployment that fails leaves nothing that the next one would meet.
  DeletionPolicy: 'RetainExceptOnCreate',
  UpdateReplacePolicy: 'Retain',
  Properties: {
    PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    VersioningConfiguration: { Status: 'Enabled' },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: key ? { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key } : { SSEAlgorithm: 'AES256' } },
      ],
    },
  },
};

/** Nobody without TLS, whatever else may allow it. */
const ArtifactsPolicy = {
  Type: 'AWS::S3::BucketPolicy',
  Properties: {
    Bucket: { Ref: 'Artifacts' },
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:*',
          Resource: [{ 'Fn::GetAtt': ['Artifacts', 'Arn'] }, { 'Fn::Sub': `\${Artifacts.Arn}/*` }],
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    },
  },
};

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  Table.Properties.TableName = `kubemend-${stage}`;
  return {
    Resources: { Table, Artifacts, ArtifactsPolicy },
    Outputs: {
      TableName: { Description: 'Incidents, modes, budgets; kept when the stack is deleted', Value: { Ref: 'Table' } },
      ArtifactsBucket: { Description: 'Pinned documents and backups; kept when the stack is deleted', Value: { Ref: 'Artifacts' } },
    },
  };
};
