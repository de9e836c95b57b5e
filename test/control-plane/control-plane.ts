import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { privateDirectoryOf } from '../../events/private-files.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import { Admin } from './admin.ts';
import { type Binaries, type Environment, findBinaries } from './binaries.ts';
import { Daemon } from './daemon.ts';
import { type AuditWebhook, type User, writeAuditWebhook, writeServiceAccountKey, writeServingCertificate, writeTokens } from './files.ts';
import { type Kubelet, kubeletFlags, startKubelet } from './kubelet.ts';
import { freePort } from './port.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

export interface ControlPlaneOptions {
  /** Users besides `admin`, each with a static token. They have no rights until RBAC gives them some. */
  users?: User[];
  auditWebhook?: AuditWebhook;
  progress?: (line: string) => void;
  /** Keeps data, logs and keys here across starts; a temporary folder, removed on stop, when absent. */
  directory?: string;
  /** More flags for kube-apiserver, as for a kubelet: `--kubelet-client-certificate=…`. */
  flags?: string[];
  /** A node that answers exec and port-forward (`plane.kubelet`). */
  kubelet?: boolean;
  env?: Environment;
  /** Milliseconds until the API server must be ready. */
  readyWithin?: number;
}

/** A running kube-apiserver and etcd. No controllers: nothing collects garbage, finishes namespaces or fills tokens. */
export interface ControlPlane {
  /** `https://127.0.0.1:port` */
  server: string;
  /** PEM of the serving certificate, which is its own CA. */
  ca: string;
  /** Token of `admin` in `system:masters`. */
  adminToken: string;
  tokens: Record<string, string>;
  /** Path of the audit log, one JSON event a line. */
  auditLog: string;
  directory: string;
  /** There when it was asked for. */
  kubelet?: Kubelet;
  pids: { etcd: number; apiserver: number };
  /** How `user` (`admin` or one of the options') connects. Throws for an unknown name. */
  connection(user: string, userAgent: string): Connection;
  /** Kills the API server as a crash would, and starts it on the same port, data and log after `down` ms. */
  restart(down?: number): Promise<void>;
  /** Ends the API server, then etcd. May be called twice. */
  stop(): Promise<void>;
}

/** Starts a control plane on a free loopback port and waits until it serves. Several run side by side. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { progress = () => {}, users = [], readyWithin = 30_000 } = options;
  const binaries = await findBinaries({ progress, ...(options.env && { env: options.env }) });
  const directory = options.directory ? resolve(options.directory) : await mkdtemp(join(tmpdir(), 'kubemend-control-plane-'));
  privateDirectoryOf(directory, /./);
  const ca = await writeServingCertificate(directory);
  await writeServiceAccountKey(directory);
  const tokens = await writeTokens(directory, [{ name: 'admin', groups: ['system:masters'] }, ...users]);
  const webhook = options.auditWebhook ? await writeAuditWebhook(directory, options.auditWebhook) : [];
  const watchdog = startWatchdog(options.directory ? undefined : directory);
  const etcd = startEtcd(binaries, directory);
  watchdog.watch(etcd.pid);
  const end = async () => {
    await etcd.stop();
    watchdog.release();
    if (!options.directory) await rm(directory, { recursive: true, force: true });
  };
  try {
    const flags = [...webhook, ...(options.kubelet ? await kubeletFlags(directory) : []), ...(options.flags ?? [])];
    const start = { ca, token: tokens.admin ?? '', etcd, watchdog, readyWithin };
    const started = await startApiserver(binaries, directory, flags, start);
    const { server, again } = started;
    let { apiserver } = started;
    const kubelet = options.kubelet ? await joinKubelet(directory, { server, ca, token: start.token }, watchdog, apiserver) : undefined;
    const pids = { etcd: etcd.pid, apiserver: apiserver.pid };
    return {
      server,
      ca,
      adminToken: tokens.admin ?? '',
      tokens,
      auditLog: join(directory, 'audit.log'),
      directory,
      ...(kubelet && { kubelet }),
      pids,
      connection(user, userAgent) {
        const token = tokens[user];
        if (token === undefined) throw new Error(`The control plane has no user ${user}, only ${Object.keys(tokens).join(', ')}.`);
        return { server, ca, token: async () => token, userAgent };
      },
      async restart(down = 0) {
        await apiserver.stop(0);
        await delay(down);
        apiserver = again();
        pids.apiserver = apiserver.pid;
        await untilReady(apiserver, server, start);
      },
      async stop() {
        await kubelet?.stop();
        await apiserver.stop(); // first: without etcd it would not end for minutes
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

// Unix sockets need no free port; the name is relative to the working directory because its length is limited to about 100 bytes.
const ETCD = 'unix://etcd.sock:0';

function startEtcd({ etcd }: Binaries, directory: string): Daemon {
  const peer = 'unix://peer.sock:0';
  const client = [`--listen-client-urls=${ETCD}`, `--advertise-client-urls=${ETCD}`];
  const peers = [`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=default=${peer}`];
  const args = ['--data-dir=etcd', ...client, ...peers, '--unsafe-no-fsync', '--log-level=warn'];
  return new Daemon('etcd', etcd, args, directory, join(directory, 'etcd.log'));
}

interface Start {
  ca: string;
  token: string;
  etcd: Daemon;
  watchdog: Watchdog;
  readyWithin: number;
}

/** Between finding a free port and using it somebody else may take it: then the next one is tried. */
async function startApiserver(binaries: Binaries, directory: string, more: string[], start: Start) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = `https://127.0.0.1:${port}`;
    const args = [...apiserverFlags(directory, port), ...more];
    const again = () => {
      const apiserver = new Daemon('kube-apiserver', binaries.kubeApiserver, args, directory, join(directory, 'kube-apiserver.log'));
      start.watchdog.watch(apiserver.pid);
      return apiserver;
    };
    const apiserver = again();
    try {
      await untilReady(apiserver, server, start);
      return { apiserver, server, again };
    } catch (error) {
      const taken = apiserver.ended && apiserver.tail(200).includes('address already in use');
      await apiserver.stop();
      if (!taken || attempt === 5) throw error;
    }
  }
}

async function joinKubelet(
  directory: string,
  { server, ca, token }: { server: string; ca: string; token: string },
  { watch }: Watchdog,
  apiserver: Daemon,
) {
  const admin = new Admin({ server, ca, token: async () => token, userAgent: 'kubemend-control-plane' });
  try {
    return await startKubelet(directory, admin, watch);
  } catch (error) {
    await apiserver.stop();
    throw error;
  } finally {
    admin.close();
  }
}

function apiserverFlags(directory: string, port: number): string[] {
  const key = join(directory, 'service-accounts.key');
  return [
    `--etcd-servers=${ETCD}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(directory, 'serving.crt')}`,
    `--tls-private-key-file=${join(directory, 'serving.key')}`,
    `--cert-dir=${directory}`,
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--authorization-mode=RBAC',
    // Nothing here creates the ServiceAccount `default` that Pods would need.
    '--disable-admission-plugins=ServiceAccount',
    '--endpoint-reconciler-type=none',
    `--audit-policy-file=${join(import.meta.dirname, 'audit-policy.yaml')}`,
    `--audit-log-path=${join(directory, 'audit.log')}`,
    '--audit-log-mode=blocking',
  ];
}

async function untilReady(apiserver: Daemon, server: string, { ca, token, etcd, readyWithin }: Start): Promise<void> {
  const transport = new Transport({ server, ca, token: async () => token, userAgent: 'kubemend-control-plane' });
  const deadline = Date.now() + readyWithin;
  let last = 'no answer';
  const answers = async (path: string) => {
    try {
      const answer = await transport.send({ method: 'GET', path, signal: AbortSignal.timeout(2_000) });
      last = `${path} answered ${answer.status} ${JSON.stringify(answer.body).slice(0, 2_000)}`;
      return answer.status === 200;
    } catch (error) {
      last = (error as Error).message;
      return false;
    }
  };
  try {
    // The namespace `default` is made in the background and may come after /readyz.
    while (!((await answers('/readyz')) && (await answers('/api/v1/namespaces/default')))) {
      for (const daemon of [etcd, apiserver]) {
        if (daemon.ended) throw new Error(`${daemon.name} ended while starting. The end of its log:\n${daemon.tail()}`);
      }
      if (Date.now() > deadline)
        throw new Error(`kube-apiserver is not ready after ${readyWithin / 1000} s (${last}). The end of its log:\n${apiserver.tail()}`);
      await delay(50);
    }
  } finally {
    transport.close();
  }
}
