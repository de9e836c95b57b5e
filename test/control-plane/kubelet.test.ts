import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Transport } from '../../shared/kubernetes/transport.ts';
import { Admin } from './admin.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

let plane: ControlPlane;
let admin: Admin;
let echo: Server;

beforeAll(async () => {
  plane = await startControlPlane({ kubelet: true, users: [{ name: 'reader' }, { name: 'pinned' }] });
  admin = new Admin(plane.connection('admin', 'test'));
  const spec = { nodeName: plane.kubelet?.node, containers: [{ name: 'main', image: 'main' }] };
  for (const name of ['echo-0', 'other-0']) await admin.create('/api/v1/namespaces/default/pods', { metadata: { name }, spec });
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  for (const [user, verbs] of [
    ['reader', ['get']],
    ['pinned', ['get', 'create']],
  ] as const) {
    const rules = [{ apiGroups: [''], resources: ['pods/portforward', 'pods/exec'], resourceNames: ['echo-0'], verbs }];
    await admin.create(`${rbac}/roles`, { metadata: { name: user }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user };
    await admin.create(`${rbac}/rolebindings`, { metadata: { name: user }, roleRef, subjects: [{ kind: 'User', name: user }] });
  }
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  await plane.kubelet?.listen('default', 'echo-0', 7, `127.0.0.1:${(echo.address() as { port: number }).port}`);
}, 120_000);

afterAll(async () => {
  echo.close();
  admin.close();
  await plane.stop();
}, 20_000);

const forward = (user: string, pod: string, port: number) =>
  new Transport(plane.connection(user, 'test')).portForward({ namespace: 'default', pod, port });

describe('port-forward through a real API server', () => {
  it('carries bytes both ways, a megabyte of them, in order', async () => {
    const stream = await forward('pinned', 'echo-0', 7);
    const sent = Buffer.alloc(1 << 20, 'kubemend ');
    stream.write(sent);
    const received: Buffer[] = [];
    let length = 0;
    for await (const chunk of stream) {
      received.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= sent.length) break;
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it('a port nobody listens on ends with what the kubelet says', async () => {
    const stream = await forward('pinned', 'echo-0', 8);
    await expect(stream.toArray()).rejects.toThrow(/port 8 of pods default\/echo-0: .*connection refused/);
  });

  it.each([
    ['another pod', 'pinned', 'other-0', 403, /pods "other-0" is forbidden/],
    ['only the verb get', 'reader', 'echo-0', 403, /pods "echo-0" is forbidden/],
    ['a pod that is not there', 'admin', 'nobody-0', 404, /"nobody-0" not found/],
  ])('%s is refused with the HTTP status and the reason', async (_, user, pod, status, message) => {
    await expect(forward(user, pod, 7)).rejects.toThrow(message);
    await expect(forward(user, pod, 7)).rejects.toMatchObject({ name: 'UpgradeRefusedError', status });
  });
});

const run = (user: string, pod: string, command: string[], within = 20_000) =>
  new Transport(plane.connection(user, 'test')).exec({ namespace: 'default', pod }, command, within);

describe('exec through a real API server', () => {
  beforeAll(() => mkdir(join(plane.kubelet?.root ?? '', 'default/echo-0/main'), { recursive: true }));

  it('gives what was printed on both channels, and the exit code', async () => {
    const script = 'printf "%s" "$1"; echo wrong >&2; exit 7';
    expect(await run('pinned', 'echo-0', ['sh', '-c', script, '-', 'a & b'])).toEqual({ code: 7, stdout: 'a & b', stderr: 'wrong\n' });
    expect(await run('pinned', 'echo-0', ['true'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('a megabyte comes whole', async () => {
    const { stdout } = await run('pinned', 'echo-0', ['sh', '-c', 'head -c 1048576 /dev/zero | tr "\\0" x']);
    expect(stdout).toBe('x'.repeat(1 << 20));
  });

  it('a program that is not there is no exit code', async () => {
    await expect(run('pinned', 'echo-0', ['bin/nothing'])).rejects.toThrow(/exec in pods default\/echo-0: .*bin\/nothing/);
  });

  it('a command that does not end is given up', async () => {
    await expect(run('pinned', 'echo-0', ['sleep', '60'], 1_000)).rejects.toThrow('1 s passed and the command had not ended');
  });

  it.each([
    ['another pod', 'pinned', 'other-0', 403],
    ['only the verb get', 'reader', 'echo-0', 403],
    ['a pod that is not there', 'admin', 'nobody-0', 404],
  ])('%s is refused with the HTTP status', async (_, user, pod, status) => {
    await expect(run(user, pod, ['true'])).rejects.toMatchObject({ name: 'UpgradeRefusedError', status });
  });
});
