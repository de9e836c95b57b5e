import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { stringify } from 'yaml';
import { subscriptions } from '../events/exporter/reduce/rules.ts';
import type { IncidentChanged } from '../events/incident-changed.ts';
import { writePrivateFile } from '../events/private-files.ts';
import { exporterRbac, identityOf } from '../infra/kubernetes/rbac.ts';
import { type LocalOptions, startLocal } from '../infra/local/run.ts';
import { loadRemediations } from '../infra/remediations.ts';
import { answer } from '../shared/answer.ts';
import type { Artifacts } from '../shared/artifacts/artifacts.ts';
import type { Limits } from '../shared/remediation.ts';
import type { Schedule } from '../shared/schedule/schedule.ts';
import type { State } from '../shared/state/state.ts';
import { Admin } from '../test/control-plane/admin.ts';
import { startControlPlane } from '../test/control-plane/control-plane.ts';
import { freePort } from '../test/control-plane/port.ts';
import { grantAll, install } from '../test/control-plane/rights.ts';
import type { Scenario } from '../test/scenarios/scenario.ts';
import { SCENARIOS } from './scenario-names.ts';
import { openArtifacts } from './store.ts';

export interface SandboxOptions {
  scenario: string | Scenario;
  mode: string;
  progress(line: string): void;
  onProblem(line: string): void;
  limits?: Record<string, Partial<Limits>>;
  checkpoint?: LocalOptions['checkpoint'];
  /** Keeps a recording, for a capture. */
  record?: boolean;
  /** Names the cluster. Default: `sandbox`. */
  cluster?: string;
  /** Starts kubemend on it, instead of in this process. */
  start?(options: LocalOptions, admin: Admin): Promise<SandboxRun>;
}

/** What a sandbox needs of a running kubemend. */
export interface SandboxRun {
  state: State;
  schedule: Schedule;
  exporter: { ready(): boolean };
  stop(): Promise<void>;
}

/** A control plane with a failing operator on it, and kubemend beside it. */
export interface Sandbox {
  scenario: Scenario;
  state: State;
  admin: Admin;
  /** The state folder. */
  directory: string;
  /** Path of the API server's audit log. */
  auditLog: string;
  /** Pinned documents, and what was backed up. */
  artifacts: Artifacts;
  /** Every change of every incident, in order, until `limit` milliseconds passed. */
  changes(limit: number): AsyncIterable<IncidentChanged>;
  answer(id: string, input: Parameters<typeof answer>[0]['input']): Promise<void>;
  writeKubeconfig(): Promise<string>;
  close(): Promise<void>;
}

/** Starts everything; resolves when the operator fails and kubemend watches. */
export async function openSandbox({
  scenario: wanted,
  mode,
  progress,
  onProblem,
  limits,
  checkpoint,
  record,
  cluster = 'sandbox',
  start = startLocal,
}: SandboxOptions): Promise<Sandbox> {
  const scenario =
    typeof wanted === 'string' ? ((await import(join(SCENARIOS, `${wanted}.ts`))) as { scenario: Scenario }).scenario : wanted;
  const remediations = await loadRemediations(limits);
  const directory = await mkdtemp(join(tmpdir(), 'kubemend-sandbox-'));
  const parts = new AsyncDisposableStack();
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const close = () => parts.disposeAsync();
  try {
    const auditWebhook = await makeWebhook();
    progress(`kubemend sandbox: ${scenario.title}`);
    const identities = ['exporter', ...remediations.map(({ name }) => name)];
    const plane = await startControlPlane({
      users: identities.map((name) => ({ name: identityOf(name) })),
      auditWebhook: { url: `https://127.0.0.1:${auditWebhook.port}/`, ca: auditWebhook.cert, token: auditWebhook.token },
      progress,
      ...(scenario.kubelet && { kubelet: true }),
    });
    parts.defer(() => plane.stop());
    progress('kube-apiserver and etcd are ready');
    const admin = new Admin(plane.connection('admin', 'kubemend-sandbox'));
    parts.defer(() => admin.close());
    const failing = await scenario.start({
      ...{ admin, connection: plane.connection('admin', 'scenario'), progress },
      ...(plane.kubelet && { kubelet: plane.kubelet }),
    });
    parts.defer(() => failing.stop());
    // After it: what is pinned to a namespace needs the namespace.
    const rules = remediations.flatMap(({ name, when }) => when.map((pattern) => ({ name, pattern })));
    await install(admin, exporterRbac(subscriptions(rules).resources));
    // Exactly the rights and policies that are generated: what is missing shows here, not on somebody's cluster.
    const { pins = {}, namespaces = [] } = scenario;
    await grantAll(admin, remediations, { pins, namespaces }, (identity) => plane.connection(identity, 'kubemend-sandbox'));

    const feed = new Feed();
    const artifacts = openArtifacts(directory);
    const options: LocalOptions = {
      ...{ cluster, directory, remediations, artifacts, auditWebhook, onProblem },
      ownUsers: ['kubemend:'],
      connect: (identity) => plane.connection(identityOf(identity), `kubemend (${identity})`),
      onChange: (change) => feed.push(change),
      ...(checkpoint && { checkpoint }),
      ...(record && { record }),
    };
    const run = await start(options, admin);
    parts.defer(() => run.stop());
    const { state, schedule } = run;
    for (const { name } of remediations) await state.set(`mode/${name}`, mode);
    // A change that comes before the first list is no change.
    for (const deadline = Date.now() + 15_000; !run.exporter.ready() && Date.now() < deadline; ) await delay(25);
    progress('kubemend watches');
    return {
      ...{ scenario, state, admin, directory, auditLog: plane.auditLog, artifacts, close },
      changes: (limit) => feed.read(limit),
      async answer(id, input) {
        await answer({ state, schedule, remediations, id, input, now: Date.now() });
      },
      async writeKubeconfig() {
        const path = join(directory, 'kubeconfig.yaml');
        writePrivateFile(path, kubeconfigOf(plane.server, plane.ca, plane.adminToken));
        return path;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function makeWebhook() {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
  const pems = await generate([{ name: 'commonName', value: 'kubemend sandbox' }], {
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { host: '127.0.0.1', port: await freePort(), cert: pems.cert, key: pems.private, token: randomBytes(24).toString('hex') };
}

/** A kubeconfig for one cluster and one token. */
export const kubeconfigOf = (server: string, ca: string, token: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin' } }],
    'current-context': 'sandbox',
  });

/** Changes as they are told, for whoever reads them later. */
class Feed {
  readonly #waiting: IncidentChanged[] = [];
  #wake: () => void = () => undefined;

  push(change: IncidentChanged): void {
    this.#waiting.push(change);
    this.#wake();
  }

  async *read(limit: number): AsyncIterable<IncidentChanged> {
    const deadline = Date.now() + limit;
    for (;;) {
      const change = this.#waiting.shift();
      if (change) {
        yield change;
        continue;
      }
      const left = deadline - Date.now();
      if (left <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }
}
