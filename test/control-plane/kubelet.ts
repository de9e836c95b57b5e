import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from './admin.ts';
import { Daemon } from './daemon.ts';
import { makeClientCertificate, secret } from './files.ts';
import { findKubelet } from './kubelet-binary.ts';
import { freePort } from './port.ts';

/** A node whose kubelet answers exec and port-forward; its pods are directories. */
export interface Kubelet {
  /** For a Pod's `spec.nodeName`. */
  node: string;
  /** `<root>/<namespace>/<pod>/<container>` is a container's working directory. */
  root: string;
  pid: number;
  /** What listens on a pod's port: an address like `127.0.0.1:4242`, or (undefined) nothing. */
  listen(namespace: string, pod: string, port: number, address: string | undefined): Promise<void>;
  stop(): Promise<void>;
}

/** Writes what the API server needs to speak to the kubelet, before it starts, and returns its flags. The serving certificate is the API server's own. */
export async function kubeletFlags(directory: string): Promise<string[]> {
  const { cert, key } = await makeClientCertificate();
  await secret(join(directory, 'kubelet-client.crt'), cert);
  await secret(join(directory, 'kubelet-client.key'), key);
  return [
    `--kubelet-client-certificate=${join(directory, 'kubelet-client.crt')}`,
    `--kubelet-client-key=${join(directory, 'kubelet-client.key')}`,
    `--kubelet-certificate-authority=${join(directory, 'serving.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

const NODE = 'node-1';

/** Starts the kubelet and registers its Node; resolves when it accepts connections. */
export async function startKubelet(directory: string, admin: Admin, watch: (pid: number) => void): Promise<Kubelet> {
  const program = await findKubelet();
  const root = join(directory, 'pods');
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const file = (name: string): string => join(directory, name);
  const args = [`-root=${root}`, `-listen=127.0.0.1:${port}`, `-cert=${file('serving.crt')}`, `-key=${file('serving.key')}`];
  const daemon = new Daemon('kubelet', program, [...args, `-client-ca=${file('kubelet-client.crt')}`], directory, file('kubelet.log'));
  watch(daemon.pid);
  try {
    for (const deadline = Date.now() + 10_000; !(await accepts(port)); await delay(20)) {
      if (daemon.ended || Date.now() > deadline) throw new Error(`The kubelet did not start. The end of its log:\n${daemon.tail()}`);
    }
    const nodes = '/api/v1/nodes';
    await admin.create(nodes, { metadata: { name: NODE } });
    await admin.patch(`${nodes}/${NODE}/status`, 'merge', {
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    });
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return {
    ...{ node: NODE, root, pid: daemon.pid },
    async listen(namespace, pod, number, address) {
      const ports = join(root, namespace, pod, 'ports');
      await mkdir(ports, { recursive: true });
      if (address === undefined) await rm(join(ports, `${number}`), { force: true });
      else await writeFile(join(ports, `${number}`), address);
    },
    stop: () => daemon.stop(),
  };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
