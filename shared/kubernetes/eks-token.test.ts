import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Credentials, eksToken } from './eks-token.ts';

const AT = Date.parse('2026-11-21T04:05:06.789Z');

const decode = (token: string): URL => new URL(Buffer.from(token.replace('k8s-aws-v1.', ''), 'base64url').toString());

class Sha256 {
  readonly #chunks: Uint8Array[] = [];
  readonly #secret: Uint8Array | undefined;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : Buffer.from(secret as string);
  }

  update(chunk: string | Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk as string));
  }

  reset(): void {
    this.#chunks.length = 0;
  }

  /** HMAC by its definition (RFC 2104), so that nothing is shared with the code under test but the hash. */
  async digest(): Promise<Uint8Array> {
    const hash = (...parts: Uint8Array[]) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
    if (!this.#secret) return hash(...this.#chunks);
    const key = Buffer.concat([this.#secret.length > 64 ? hash(this.#secret) : this.#secret, Buffer.alloc(64)]).subarray(0, 64);
    return hash(
      key.map((byte) => byte ^ 0x5c),
      hash(
        key.map((byte) => byte ^ 0x36),
        ...this.#chunks,
      ),
    );
  }
}

/** The signature that AWS's own library computes. */
async function theirs(cluster: string, region: string, credentials: Credentials): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
    ...{ region, service: 'sts', sha256: Sha256 },
  });
  const hostname = `sts.${region}.amazonaws.com`;
  const request = {
    ...{ method: 'GET', protocol: 'https:', hostname, path: '/', query: { Action: 'GetCallerIdentity', Version: '2011-06-15' } },
    headers: { host: hostname, 'x-k8s-aws-id': cluster },
  };
  const options = { expiresIn: 60, signingDate: new Date(AT), unhoistableHeaders: new Set(['x-k8s-aws-id']) };
  return `${(await signer.presign(request, options)).query?.['X-Amz-Signature']}`;
}

describe('an EKS token', () => {
  const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  it.each([
    ['long-lived keys', 'prod', 'eu-west-1', key],
    ['a session token with characters that must be encoded', 'prod', 'us-east-1', { ...key, sessionToken: "a/b+c=d!e'(f)*~" }],
    ['a cluster name with a dash and an underscore', 'my-cluster_2', 'ap-southeast-2', key],
  ])("carries the signature of AWS's own library: %s", async (_, cluster, region, credentials) => {
    const url = decode(eksToken(cluster, region, credentials, AT));
    expect(url.searchParams.get('X-Amz-Signature')).toBe(await theirs(cluster, region, credentials));
  });

  it('is a presigned GetCallerIdentity of the regional STS that signs the cluster name, without padding', () => {
    const token = eksToken('prod', 'eu-west-1', key, AT);
    expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/);
    const { host, searchParams } = decode(token);
    expect(host).toBe('sts.eu-west-1.amazonaws.com');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      Action: 'GetCallerIdentity',
      'X-Amz-Date': '20261121T040506Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    });
    expect(eksToken('other', 'eu-west-1', key, AT)).not.toBe(token);
  });

  it('asks the Chinese partition at its own domain', () => {
    expect(decode(eksToken('prod', 'cn-north-1', key, AT)).host).toBe('sts.cn-north-1.amazonaws.com.cn');
  });
});
