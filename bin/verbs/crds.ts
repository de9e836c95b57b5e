import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { valid } from 'semver';
import { type Artifacts, ShippedError } from '../../shared/artifacts/artifacts.ts';
import { documentsOf } from '../../shared/kubernetes/yaml.ts';
import { bucketArtifacts } from '../aws-artifacts.ts';
import { openArtifacts, stateDirectory } from '../store.ts';
import { type Call, stateOption, text, UsageError, type Verb } from '../verb.ts';

/** The CRDs of Strimzi 1.2 have 2 MB. */
const MAX_BYTES = 16 << 20;
const TOO_LARGE = `it is larger than ${MAX_BYTES >> 20} MiB, and the CRDs of a release are not`;

export const verb: Verb = {
  summary: 'pin the CRDs of an operator version, with their SHA-256, for fixes to apply',
  usage: 'crds add strimzi VERSION --from FILE_OR_URL  |  crds list',
  examples: ['kubemend crds list', 'kubemend crds add strimzi 0.45.2 --from strimzi-crds-0.45.2.yaml'],
  options: {
    ...stateOption,
    from: { type: 'string', help: 'multi-document YAML (also .gz): a file, or an https URL fetched now and never again' },
    'aws-bucket': { type: 'string', help: 'instead of the state folder: the bucket of an installation in AWS' },
    region: { type: 'string', help: "region of that bucket (default: the AWS CLI's)" },
  },
  positionals: { least: 1, most: 3 },
  async run(call) {
    const [action, operator, version] = call.positionals;
    const artifacts = await artifactsOf(call);
    if (action === 'list') {
      const names = (await artifacts.list('')).filter((name) => !name.startsWith('backups/'));
      const rows = await Promise.all(names.map(async (name) => ({ name, ...(await artifacts.describe(name)) })));
      if (call.json) call.out(JSON.stringify({ artifacts: rows }));
      else for (const { name, sha256 } of rows) call.out(`${name.padEnd(20)} ${sha256}`);
      return 0;
    }
    const from = text(call, 'from');
    if (action !== 'add' || operator !== 'strimzi' || !version || !from) throw new UsageError(`Usage: kubemend ${verb.usage}`);
    if (!valid(version)) throw new UsageError(`"${version}" is no version: write it as 0.43.0`);
    const content = await read(from);
    let names: string[];
    try {
      names = (await documentsOf(content)).flatMap(({ kind, metadata }) => (kind === 'CustomResourceDefinition' ? [metadata.name] : []));
    } catch (error) {
      throw new UsageError(`${from}: ${(error as Error).message}`);
    }
    if (!names.includes('kafkas.kafka.strimzi.io'))
      throw new UsageError(`${from} holds no CRD kafkas.kafka.strimzi.io: take strimzi-crds-${version}.yaml of the release`);
    const { sha256 } = await artifacts.put(`strimzi/${version}`, content).catch((error: Error) => {
      throw error instanceof ShippedError ? new UsageError(error.message) : error;
    });
    if (call.json) call.out(JSON.stringify({ name: `strimzi/${version}`, sha256, crds: names }));
    else call.out(`Pinned strimzi/${version}: ${names.length} CRDs, SHA-256 ${sha256}`);
    return 0;
  },
};

async function artifactsOf(call: Call): Promise<Artifacts> {
  const bucket = text(call, 'aws-bucket');
  if (bucket === undefined) return openArtifacts(stateDirectory(call));
  return bucketArtifacts(bucket, text(call, 'region'), call.environment.deployment.AWS_ENDPOINT_URL);
}

async function read(from: string): Promise<string> {
  try {
    const bytes = await atMost(from.startsWith('https://') ? await download(from) : createReadStream(from));
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? unpacked(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw new UsageError(`${from} cannot be read: ${(error as Error).message}`);
  }
}

async function download(url: string): Promise<AsyncIterable<Uint8Array>> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  if (!answer.url.startsWith('https://')) throw new Error(`it redirects to ${answer.url}, which is not https`);
  return answer.body ?? Readable.from([]);
}

/** All of a stream, which may be longer than it says, or have no end. */
async function atMost(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(TOO_LARGE);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? new Error(`unpacked, ${TOO_LARGE}`) : error;
  }
}
