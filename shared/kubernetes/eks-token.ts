import { createHash, createHmac } from 'node:crypto';

/** AWS credentials as the Lambda environment or a role session gives them. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

const SIGNED = 'host;x-k8s-aws-id';
// aws-iam-authenticator ignores X-Amz-Expires: the token is good for exactly 15 minutes after X-Amz-Date.
const EXPIRES = '60';

/**
 * The bearer token EKS accepts: a presigned STS GetCallerIdentity URL that names the cluster. Signed here; STS is not called.
 * `at` in milliseconds since the epoch. Source: aws-iam-authenticator, pkg/token/token.go.
 */
export function eksToken(cluster: string, region: string, { accessKeyId, secretAccessKey, sessionToken }: Credentials, at: number): string {
  const host = `sts.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
  const timestamp = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${timestamp.slice(0, 8)}/${region}/sts/aws4_request`;
  const query = canonicalQuery({
    Action: 'GetCallerIdentity',
    Version: '2011-06-15',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': EXPIRES,
    'X-Amz-SignedHeaders': SIGNED,
    ...(sessionToken && { 'X-Amz-Security-Token': sessionToken }),
  });
  const request = ['GET', '/', query, `host:${host}\nx-k8s-aws-id:${cluster}\n`, SIGNED, sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(request)].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  const url = `https://${host}/?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
}

const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');

/** RFC 3986: encodeURIComponent leaves five characters that SigV4 wants encoded. */
const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

const canonicalQuery = (parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
