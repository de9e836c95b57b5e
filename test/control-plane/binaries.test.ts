import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findBinaries } from './binaries.ts';
import { download } from './download.ts';
import { withLock } from './lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubemend-binaries-'));
});
afterEach(() => rm(folder, { recursive: true }));

const unreachable: typeof fetch = async () => {
  throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND github.com') });
};

async function put(into: string) {
  await mkdir(into, { recursive: true });
  for (const name of ['etcd', 'kube-apiserver']) {
    await writeFile(join(into, name), '');
    await chmod(join(into, name), 0o755);
  }
}

describe('finding the binaries', () => {
  it('names all four ways, and what each needs, when none works', async () => {
    const env = { XDG_CACHE_HOME: folder, PATH: folder };
    const error = await findBinaries({ env, fetch: unreachable }).then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    const [head, assets, cache, archive, go] = (error ?? '').split('\n');
    expect(head).toBe('No etcd and kube-apiserver for the control plane. One of these four ways has to work:');
    expect(assets).toBe('  1. KUBEBUILDER_ASSETS: not set. Set it to a folder that holds etcd and kube-apiserver.');
    expect(cache).toMatch(/^ {2}2\. Cache: .*\/kubemend\/control-plane\/[0-9a-f]{16} has none yet\. `npm run control-plane` fills it/);
    expect(archive).toMatch(/^ {2}3\. Download: https:\/\/github\.com\/.* could not be read: getaddrinfo ENOTFOUND .*needs HTTPS/);
    expect(go).toBe('  4. go build: there is no `go` on the PATH. It needs Go (https://go.dev/dl) and a Go module proxy.');
    expect(await readdir(join(folder, 'kubemend', 'control-plane'))).toEqual([]); // no lock, no half-filled folder
  });

  it('takes KUBEBUILDER_ASSETS first', async () => {
    await put(folder);
    const found = await findBinaries({ env: { KUBEBUILDER_ASSETS: folder, PATH: folder }, fetch: unreachable });
    expect(found).toEqual({ etcd: join(folder, 'etcd'), kubeApiserver: join(folder, 'kube-apiserver') });
  });

  it('goes on when KUBEBUILDER_ASSETS holds nothing, and says so', async () => {
    const env = { KUBEBUILDER_ASSETS: join(folder, 'empty'), XDG_CACHE_HOME: folder, PATH: folder };
    await expect(findBinaries({ env, fetch: unreachable })).rejects.toThrow(
      'empty does not hold executable files etcd and kube-apiserver.',
    );
  });

  it('keeps what a way made in the cache, and makes it once for callers at the same time', async () => {
    // A `go` that writes the two files: its last arguments are -o FOLDER and the packages.
    const go =
      '#!/bin/sh\n[ "$1" = list ] && exit\nfor a; do case $a in */) touch "$a/etcd" "$a/kube-apiserver"; chmod +x "$a"/*; esac; done\n';
    await writeFile(join(folder, 'go'), go, { mode: 0o755 });
    const env = { XDG_CACHE_HOME: join(folder, 'cache'), PATH: `${folder}:/usr/bin:/bin` };
    const error = await findBinaries({ env: { ...env, PATH: '' }, fetch: unreachable }).catch((reason: Error) => reason.message);
    const [, cache = ''] = /Cache: (\S+) has none/.exec(String(error)) ?? [];
    await mkdir(`${cache}.new-killed`); // left over by an attempt that was killed
    const lines: string[] = [];
    const progress = (line: string) => lines.push(line);
    const [a, b] = await Promise.all([
      findBinaries({ env, fetch: unreachable, progress }),
      findBinaries({ env, fetch: unreachable, progress }),
    ]);
    expect(a).toEqual(b);
    expect(await findBinaries({ env: { ...env, PATH: '' }, fetch: unreachable })).toEqual(a);
    expect(await readdir(dirname(cache))).toEqual([basename(cache)]);
    expect(lines.filter((line) => line.startsWith('Building etcd and kube-apiserver'))).toHaveLength(1);
  });
});

describe('the download', () => {
  const options = { progress: () => {}, platform: 'linux-amd64' };

  it('throws away an archive with another SHA-512', async () => {
    const fake: typeof fetch = async () => new Response('not the archive');
    await expect(download({ ...options, into: folder, fetch: fake })).rejects.toThrow(/has SHA-512 .*, expected 6nQxhsin.*: thrown away/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives up on a server that never answers', async () => {
    const silent: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    await expect(download({ ...options, into: folder, fetch: silent, answerWithin: 20 })).rejects.toThrow('no answer within 0.02 s');
  });

  it('gives up on a body that stops in the middle', async () => {
    const stalling: typeof fetch = async (_, init) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new Uint8Array(10));
            init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
          },
        }),
      );
    await expect(download({ ...options, into: folder, fetch: stalling, silence: 20 })).rejects.toThrow('not one byte for 0.02 s');
  });

  it('says when there is no archive for the platform', async () => {
    const start = download({ ...options, into: folder, fetch: unreachable, platform: 'plan9-mips' });
    await expect(start).rejects.toThrow('no pinned archive for plan9-mips');
  });

  it('unpacks an archive whose SHA-512 is right', async () => {
    const source = join(folder, 'source');
    await put(join(source, 'controller-tools', 'envtest'));
    const { execFileSync } = await import('node:child_process');
    const archive = execFileSync('tar', ['-czf', '-', '-C', source, 'controller-tools']);
    const sha512 = { 'linux-amd64': createHash('sha512').update(archive).digest('base64') };
    const into = join(folder, 'into');
    await mkdir(into);
    await download({ ...options, into, fetch: async () => new Response(new Uint8Array(archive)), sha512 });
    expect((await readdir(into)).sort()).toEqual(expect.arrayContaining(['etcd', 'kube-apiserver']));
  });
});

describe('the lock', () => {
  it('lets one work at a time', async () => {
    const path = join(folder, 'lock');
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, () => {}, work)));
    expect(most).toBe(1);
  });

  it.each([
    ['a process that is gone', '999999999', 0],
    ['a process that has not touched it for minutes', String(process.pid), 300],
  ])('is taken over from %s', async (_, holder, secondsOld) => {
    const path = join(folder, 'lock');
    await writeFile(path, holder);
    const then = new Date(Date.now() - secondsOld * 1000);
    await utimes(path, then, then);
    expect(
      await withLock(
        path,
        () => {},
        async () => 'done',
      ),
    ).toBe('done');
    expect(await readdir(folder)).toEqual([]);
  });
});
