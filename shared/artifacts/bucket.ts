import { AwsClient } from 'aws4fetch';

/** The few words of S3 that artifacts need. Everything that is not an answer throws. */
export interface Bucket {
  name: string;
  /** The object's bytes, or undefined when S3 says that there is none. */
  get(key: string): Promise<Buffer | undefined>;
  /** Writes an object; `once`: unless it is there already, which is no error. */
  put(key: string, body: Uint8Array, once?: boolean): Promise<void>;
  /** All keys that begin with `prefix`. */
  list(prefix: string): Promise<string[]>;
}

export interface BucketOptions {
  name: string;
  region: string;
  credentials(): { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined };
  /** Instead of AWS's own, with the bucket in the path. */
  endpoint?: string | undefined;
  wait(ms: number): Promise<unknown>;
}

/** Busy, or somebody writes the same key at this moment. */
const AGAIN = [409, 429];
const TRIES = 3;
const PATIENCE = 4_000;

/** A bucket over signed HTTP. Not the SDK's S3 client: that alone is 150 kB of a function's bundle for these three calls. */
export function s3Bucket({ name, region, credentials, endpoint, wait }: BucketOptions): Bucket {
  const base = endpoint ? `${endpoint}/${name}` : `https://${name}.s3.${region}.amazonaws.com`;

  async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const { sessionToken, ...keys } = credentials();
    const client = new AwsClient({ ...keys, ...(sessionToken && { sessionToken }), region, service: 's3', retries: 0 });
    const told = `${method} ${path.split('?')[0]} in the bucket ${name}`;
    for (let attempt = 1; ; attempt += 1) {
      let because: string;
      try {
        const answer = await client.fetch(`${base}/${path}`, { ...init, method, signal: AbortSignal.timeout(PATIENCE) });
        if (answer.status < 500 && !AGAIN.includes(answer.status)) return answer;
        because = await failure(answer);
      } catch (error) {
        const { message, cause } = error as Error;
        const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
        because = [message, code ?? inner].filter(Boolean).join(': ');
      }
      if (attempt === TRIES) throw new Error(`${told} failed: ${because}`);
      await wait(100 * 2 ** attempt);
    }
  }
  const refused = async (what: string, answer: Response): Promise<never> => {
    throw new Error(`${what} in the bucket ${name} was refused: ${await failure(answer)}`);
  };

  return {
    name,
    async get(key) {
      const answer = await ask('GET', encode(key));
      if (answer.ok) return Buffer.from(await answer.arrayBuffer());
      const text = await answer.clone().text();
      return answer.status === 404 && text.includes('<Code>NoSuchKey</Code>') ? undefined : refused(`Reading ${key}`, answer);
    },
    async put(key, body, once = false) {
      const headers = { 'content-length': `${body.length}`, ...(once && { 'if-none-match': '*' }) };
      const answer = await ask('PUT', encode(key), { body: Buffer.from(body), headers });
      if (!answer.ok && !(once && answer.status === 412)) await refused(`Writing ${key}`, answer);
    },
    async list(prefix) {
      const keys: string[] = [];
      let after = '';
      do {
        const query = new URLSearchParams({ 'list-type': '2', prefix, ...(after && { 'continuation-token': after }) });
        const answer = await ask('GET', `?${query}`);
        if (!answer.ok) await refused(`Listing ${prefix}`, answer);
        const xml = await answer.text();
        keys.push(...[...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => decode(key)));
        after = decode(/<NextContinuationToken>([^<]*)</.exec(xml)?.[1] ?? '');
      } while (after);
      return keys;
    },
  };
}

/** S3 signs paths encoded once, with `/` as it is. */
const encode = (key: string): string => key.split('/').map(encodeURIComponent).join('/');

const decode = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, word: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[word] ?? '');

async function failure(answer: Response): Promise<string> {
  const text = await answer.text();
  const [code, message] = ['Code', 'Message'].map((tag) => new RegExp(`<${tag}>([^<]*)<`).exec(text)?.[1] ?? '');
  return [answer.status, code, message].filter(Boolean).join(' ');
}
