import { statementsOf } from './packaged-service.ts';
import type { Resources } from './template-dead-letters.ts';
import { idsIn, resolve, resolvedOf } from './template-values.ts';

type Properties = Record<string, unknown>;
interface Sse {
  SSEEnabled?: boolean;
  SSEType?: string;
  KMSMasterKeyId?: string;
}
interface ByDefault {
  ServerSideEncryptionByDefault?: { SSEAlgorithm?: string; KMSMasterKeyID?: string };
}

/** What can be encrypted with a key of one's own, and the key that it names: docs/aws.md lists the same. */
const KEY_OF: Record<string, (properties: Properties) => unknown> = {
  'AWS::DynamoDB::Table'({ SSESpecification }) {
    const { SSEEnabled, SSEType, KMSMasterKeyId } = (SSESpecification ?? {}) as Sse;
    return SSEEnabled && SSEType === 'KMS' ? KMSMasterKeyId : undefined;
  },
  'AWS::S3::Bucket'({ BucketEncryption }) {
    const { ServerSideEncryptionConfiguration: [rule] = [] } = (BucketEncryption ?? {}) as {
      ServerSideEncryptionConfiguration?: ByDefault[];
    };
    const { SSEAlgorithm, KMSMasterKeyID } = rule?.ServerSideEncryptionByDefault ?? {};
    return SSEAlgorithm === 'aws:kms' ? KMSMasterKeyID : undefined;
  },
  'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::Events::EventBus': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
  'AWS::Events::Archive': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
};
/** To read and to write what is encrypted. */
const USE = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** What is not encrypted with the deployment's key (without one: with a key of AWS), and who could not use what is. */
export function problemsOfEncryption(resources: Resources, key?: string): string[] {
  // EventBridge writes into them, and has no right on our key: dead letters would vanish.
  const ofEventBridge = resolvedOf(resources, 'AWS::SQS::QueuePolicy').flatMap(([, { Queues }]) => idsIn(Queues));
  const encrypted = Object.entries(resources).filter(([id, { Type }]) => Type in KEY_OF && id !== 'ServerlessDeploymentBucket');
  const things = encrypted.flatMap(([id, { Type, Properties }]) => {
    const wanted = ofEventBridge.includes(id) ? undefined : key;
    const named = KEY_OF[Type]?.(resolve(resources, Properties) as Properties);
    const plain = Type === 'AWS::SQS::Queue' && wanted === undefined && Properties.SqsManagedSseEnabled !== true;
    return [
      ...(named === wanted ? [] : [`${id} is encrypted with ${named ?? 'a key of AWS'}, not ${wanted ?? 'a key of AWS'}`]),
      ...(plain ? [`${id} is not encrypted`] : []),
    ];
  });
  const ours = encrypted.map(([id]) => id).filter((id) => !ofEventBridge.includes(id));
  const roles = resolvedOf(resources, 'AWS::IAM::Role').flatMap(([id, { Policies }]) => {
    const allowed = statementsOf(Policies).filter(({ Effect }) => Effect === 'Allow');
    const touched = allowed.flatMap(({ Resource }) => idsIn(Resource)).filter((one) => ours.includes(one));
    const may = (action: string) => allowed.some(({ Action, Resource }) => [Action].flat().includes(action) && Resource === key);
    const lacks = USE.filter((action) => !may(action));
    return key !== undefined && touched.length > 0 && lacks.length > 0
      ? [`${id} may not ${lacks.join(' and ')}, but uses ${[...new Set(touched)].join(' and ')}`]
      : [];
  });
  return [...things, ...roles];
}
