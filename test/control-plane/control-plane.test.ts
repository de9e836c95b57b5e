import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { Admin } from './admin.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

interface AuditEvent {
  verb: string;
  user: { username: string };
  userAgent: string;
  objectRef: { resource: string; name?: string };
  level: string;
  stage: string;
}

const running: ControlPlane[] = [];
const admins: Admin[] = [];
let started = 0;

beforeAll(async () => {
  const before = performance.now();
  running.push(...(await Promise.all([startControlPlane({ users: [{ name: 'guest', groups: ['guests'] }] }), startControlPlane()])));
  started = (performance.now() - before) / 1000;
  admins.push(...running.map((plane) => new Admin(plane.connection('admin', 'admin-under-test/1.0'))));
}, 90_000);

afterAll(async () => {
  for (const admin of admins) admin.close();
  await Promise.all(running.map((plane) => plane.stop()));
}, 30_000);

describe('two control planes', () => {
  it('start side by side', () => {
    console.log(`two control planes ready after ${started.toFixed(1)} s`);
    expect(new Set(running.map(({ server }) => server)).size).toBe(2);
  });

  it('share nothing: a namespace of one is unknown to the other', async () => {
    const [first, second] = admins as [Admin, Admin];
    await first.create('/api/v1/namespaces', { metadata: { name: 'only-here' } });
    expect((await first.get('/api/v1/namespaces/only-here')).metadata.name).toBe('only-here');
    await expect(second.get('/api/v1/namespaces/only-here')).rejects.toMatchObject({ status: 404 });
  });

  it('log a write with its user and user agent, without its body, and no read', async () => {
    const [plane] = running as [ControlPlane];
    const [admin] = admins as [Admin];
    await admin.create('/api/v1/namespaces/default/secrets', { metadata: { name: 'audited' }, stringData: { key: 'in-no-log' } });
    await admin.get('/api/v1/namespaces/default/secrets/audited');
    // Mode blocking: the line is there before the answer.
    const log = await readFile(plane.auditLog, 'utf8');
    const events = log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as AuditEvent);
    expect(events.filter(({ objectRef }) => objectRef?.name === 'audited')).toMatchObject([
      {
        verb: 'create',
        user: { username: 'admin' },
        userAgent: 'admin-under-test/1.0',
        objectRef: { resource: 'secrets' },
        level: 'Metadata',
        stage: 'ResponseComplete',
      },
    ]);
    expect(log).not.toContain('in-no-log');
    expect(new Set(events.map(({ verb }) => verb))).not.toContain('get');
    expect(new Set(events.map(({ objectRef }) => objectRef.resource))).not.toContain('leases');
  });

  it('refuse a user without rights with 403 and an unknown token with 401', async () => {
    const [plane] = running as [ControlPlane];
    const guest = new Admin(plane.connection('guest', 'guest/1.0'));
    const nobody = new Admin({ ...plane.connection('guest', 'nobody/1.0'), token: async () => 'made-up' });
    await expect(guest.list('/api/v1/secrets')).rejects.toMatchObject({ status: 403 });
    await expect(nobody.list('/api/v1/secrets')).rejects.toMatchObject({ status: 401 });
    expect(() => plane.connection('stranger', 'x/1')).toThrow('The control plane has no user stranger, only admin, guest.');
    guest.close();
    nobody.close();
  });

  it('give a ServiceAccount a token that RBAC knows by its name', async () => {
    const [plane] = running as [ControlPlane];
    const [admin] = admins as [Admin];
    await admin.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
    const token = await admin.serviceAccountToken('default', 'robot');
    const robot = new Admin({ ...plane.connection('admin', 'robot/1.0'), token: async () => token });
    await expect(robot.list('/api/v1/pods')).rejects.toThrow('"system:serviceaccount:default:robot"');
    robot.close();
  });
});

describe('the audit webhook', () => {
  it('gets the events within seconds, over TLS and with its token', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'receiver' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });
    const got: { token: string | undefined; items: AuditEvent[] }[] = [];
    const receiver = createServer({ cert, key }, async (request, response) => {
      const { items } = (await json(request)) as { items: AuditEvent[] };
      got.push({ token: request.headers.authorization, items });
      response.end();
      receiver.emit('batch');
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    const url = `https://127.0.0.1:${(receiver.address() as AddressInfo).port}/audit`;
    const plane = await startControlPlane({ auditWebhook: { url, ca: cert, token: 'receivers-token' } });
    const admin = new Admin(plane.connection('admin', 'a/1'));
    await admin.create('/api/v1/namespaces', { metadata: { name: 'reported' } });
    const found = () => got.some(({ items }) => items.some(({ objectRef }) => objectRef?.name === 'reported'));
    while (!found()) await once(receiver, 'batch', { signal: AbortSignal.timeout(10_000) });
    expect(new Set(got.map(({ token }) => token))).toEqual(new Set(['Bearer receivers-token']));
    admin.close();
    await plane.stop();
    receiver.close();
  }, 60_000);
});

describe('the end of a control plane', () => {
  it('by stop() leaves no process and no folder, also when called twice', async () => {
    const plane = await startControlPlane();
    expect(alive(plane)).toEqual([true, true]);
    await plane.stop();
    await plane.stop();
    expect(alive(plane)).toEqual([false, false]);
    expect(existsSync(plane.directory)).toBe(false);
  }, 60_000);

  it('comes with the death of the process that started it, even by SIGKILL', async () => {
    const code = `
      const { startControlPlane } = await import(${JSON.stringify(join(import.meta.dirname, 'control-plane.ts'))});
      const { pids, directory } = await startControlPlane();
      console.log(JSON.stringify({ pids, directory }));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await Array.fromAsync(firstChunk(owner.stdout));
    const plane = JSON.parse(line ?? '') as Pick<ControlPlane, 'pids' | 'directory'>;
    expect(alive(plane)).toEqual([true, true]);
    owner.kill('SIGKILL');
    const deadline = Date.now() + 10_000;
    while ((alive(plane).includes(true) || existsSync(plane.directory)) && Date.now() < deadline) await delay(20);
    expect(alive(plane)).toEqual([false, false]);
    expect(existsSync(plane.directory)).toBe(false);
  }, 60_000);

  it('is told with the end of the log when the API server cannot start', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubemend-broken-'));
    const error = await startControlPlane({ directory, flags: ['--no-such-flag'] }).catch((reason: Error) => reason.message);
    expect(error).toContain('kube-apiserver ended while starting. The end of its log:\n');
    expect(error).toContain('unknown flag: --no-such-flag');
    await expect(promisify(execFile)('pgrep', ['-f', directory])).rejects.toMatchObject({ code: 1 });
    await rm(directory, { recursive: true });
  }, 60_000);

  it('keeps a folder of its own and comes back with what was in it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubemend-kept-'));
    const first = await startControlPlane({ directory });
    const before = new Admin(first.connection('admin', 'a/1'));
    await before.create('/api/v1/namespaces', { metadata: { name: 'kept' } });
    before.close();
    await first.stop();
    const second = await startControlPlane({ directory });
    const after = new Admin(second.connection('admin', 'a/1'));
    expect((await after.get('/api/v1/namespaces/kept')).metadata.name).toBe('kept');
    after.close();
    await second.stop();
    await rm(directory, { recursive: true });
  }, 90_000);
});

function alive({ pids }: Pick<ControlPlane, 'pids'>): boolean[] {
  return [pids.apiserver, pids.etcd].map((pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  });
}

async function* firstChunk(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const chunk of stream) return yield chunk.toString();
}
