import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const VERSION = 'v1.36.2';

/** SHA-512 of the archives, as listed in kubernetes-sigs/controller-tools, envtest-releases.yaml. */
const SHA512: Record<string, string> = {
  'darwin-arm64': 'knj55a9Vay8fLROXacHw1xfHtEJpF/3r26iYvLclqRbkkQ1hYIhhlP+b6Viep8XDLCuK4HVHA4dLfIuo3fxBzg==',
  'linux-amd64': '6nQxhsinmfXPj68Wlp+GGJ0APLfRMOCsS1h4nx5XSNzzDr6RyDehDVrEFTg9o+ELnmTWV4XJOMI+c5eBz7dvCA==',
  'linux-arm64': 'LXLumFqOJio8V9yffw/Ykfaox79+uqLbbcbY6siuKBga/lHB82i2d1bNtAsQ3psgVgnhcm5fJ/fG2CTdnGZJrA==',
};

export interface DownloadOptions {
  /** An empty folder; etcd and kube-apiserver appear in it. */
  into: string;
  fetch: typeof fetch;
  progress: (line: string) => void;
  platform?: string;
  sha512?: Record<string, string>;
  /** Milliseconds until the server must have answered. */
  answerWithin?: number;
  /** Milliseconds without one byte after which the download is given up. */
  silence?: number;
}

/** Downloads the envtest archive of the Kubernetes project, checks its pinned SHA-512 and unpacks it. Throws a sentence. */
export async function download(options: DownloadOptions): Promise<void> {
  const { into, progress, platform = thisPlatform(), sha512 = SHA512 } = options;
  const expected = sha512[platform];
  if (expected === undefined) throw new Error(`envtest ${VERSION} has no pinned archive for ${platform}.`);
  const name = `envtest-${VERSION}-${platform}.tar.gz`;
  const url = `https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-${VERSION}/${name}`;
  progress(`Downloading ${url}`);
  const archive = await readAll(url, options);
  const actual = createHash('sha512').update(archive).digest('base64');
  if (actual !== expected) throw new Error(`${name} has SHA-512 ${actual}, expected ${expected}: thrown away.`);
  const file = join(into, name);
  await writeFile(file, archive);
  const tar = spawn('tar', ['-xzf', file, '-C', into, '--strip-components=2'], { stdio: 'ignore' });
  const [code] = await once(tar, 'exit');
  if (code !== 0) throw new Error(`tar could not unpack ${name} (exit code ${code}).`);
}

/** Every wait has an end: without a network this must fail in seconds. */
async function readAll(url: string, { fetch: get, progress, answerWithin = 4_000, silence = 15_000 }: DownloadOptions): Promise<Buffer> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(new Error(`no answer within ${answerWithin / 1000} s`)), answerWithin);
  const rearm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error(`not one byte for ${silence / 1000} s`)), silence);
  };
  try {
    const answer = await get(url, { signal: abort.signal });
    if (!answer.ok || !answer.body) throw new Error(`the server answered ${answer.status}`);
    const total = Number(answer.headers.get('content-length') ?? Number.NaN);
    const chunks: Uint8Array[] = [];
    let size = 0;
    let told = Date.now();
    for await (const chunk of answer.body) {
      rearm();
      chunks.push(chunk);
      size += chunk.length;
      if (Date.now() - told < 5_000) continue;
      told = Date.now();
      progress(`Downloaded ${megabytes(size)} of ${megabytes(total)} MB`);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : (error as Error).message;
    throw new Error(`${url} could not be read: ${cause}.`);
  } finally {
    clearTimeout(timer);
  }
}

function thisPlatform(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

function megabytes(bytes: number): string {
  return Number.isNaN(bytes) ? '?' : (bytes / 1e6).toFixed(0);
}
