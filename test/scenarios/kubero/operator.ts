import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { type Doc, type Draft, RefusedError } from '../../control-plane/admin.ts';
import { watchEvents } from '../../control-plane/watch.ts';
import { render } from './chart.ts';
import { Client } from './client.ts';
import { createRevision, deleteRevision, history, type Release, setStatus } from './releases.ts';

export interface OperatorOptions {
  /** Its own ServiceAccount's; the user agents are set as measured. */
  connection: Connection;
  /** `reconcilePeriod` of watches.yaml, ms. */
  period?: number;
  /** Reads the annotation but goes on at its own period (operator-sdk#6648). */
  stubborn?: boolean;
}

const PIPELINES = '/apis/application.kubero.dev/v1alpha1/kuberopipelines';
const PERIOD = 'helm.sdk.operatorframework.io/reconcile-period';
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Behaves as the helm-operator of operator-sdk 1.26 towards the API server (`internal/helm/release/manager.go`): every event of a pipeline,
 * its own included, starts a reconciliation, and so does a timer. It renders the chart in a dry run, without `lookup`, and upgrades where that differs from what is deployed.
 */
export class FakeHelmOperator {
  upgrades = 0;
  /** What went wrong last, for a test that waits in vain. */
  lastError: string | undefined;
  readonly #options: OperatorOptions;
  readonly #stopping = new AbortController();
  /** Release storage and custom resources. */
  readonly #client: Client;
  /** What the chart renders: another client, without the operator's name. */
  readonly #resources: Client;
  /** The work queue: pipelines with an event, and when a timer comes. An event leaves the timer as it is, and of two timers the earlier stays. */
  readonly #ready = new Set<string>();
  readonly #timers = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #loop: Promise<unknown> | undefined;
  #busy = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#client = new Client(options.connection, 'helm-operator/v0.0.0 (linux/amd64) kubernetes/$Format', this.#stopping.signal);
    this.#resources = new Client(options.connection, 'Go-http-client/2.0', this.#stopping.signal);
  }

  start(): void {
    this.#loop ??= Promise.all([this.#watchLoop(), this.#workLoop()]);
  }

  /** Resolves when nothing of it runs any more. It cannot be started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    this.#client.transport.close();
    this.#resources.transport.close();
  }

  /** True while it reconciles, or an event waits; a timer that runs does not count. */
  get busy(): boolean {
    return this.#busy || this.#ready.size > 0;
  }

  /** No predicate on the generation: annotations and its own status writes count too. */
  async #watchLoop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const list = await this.#client.get(PIPELINES);
        for (const { metadata } of (list?.items ?? []) as Doc[]) this.#ready.add(`${metadata.namespace}/${metadata.name}`);
        const path = `${PIPELINES}?watch=1&resourceVersion=${list?.metadata.resourceVersion}`;
        for await (const { type, object } of watchEvents(this.#client.transport, path, signal)) {
          if (type === 'ERROR') break;
          this.#ready.add(`${object.metadata.namespace}/${object.metadata.name}`);
        }
      } catch (error) {
        this.lastError = String(error);
        await this.#wait(200);
      }
    }
  }

  async #workLoop(): Promise<void> {
    while (await this.#wait(20)) {
      for (const [key, at] of [...this.#timers]) {
        if (at <= Date.now() && this.#timers.delete(key)) this.#ready.add(key);
      }
      for (const key of [...this.#ready]) {
        this.#busy = true;
        this.#ready.delete(key);
        try {
          const period = await this.#reconcile(key);
          this.#failures.delete(key);
          if (period !== undefined) this.#queueAfter(key, period);
        } catch (error) {
          if (this.#stopping.signal.aborted) return;
          this.lastError = String(error);
          const failures = (this.#failures.get(key) ?? 0) + 1;
          this.#failures.set(key, failures);
          this.#queueAfter(key, Math.min(5 * 2 ** failures, 30_000));
        } finally {
          this.#busy = false;
        }
      }
    }
  }

  #queueAfter(key: string, delayed: number): void {
    this.#timers.set(key, Math.min(this.#timers.get(key) ?? Number.POSITIVE_INFINITY, Date.now() + delayed));
  }

  /** Returns when to look again. Throws what has to be tried again. */
  async #reconcile(key: string): Promise<number | undefined> {
    const [namespace = '', name = ''] = key.split('/');
    const path = PIPELINES.replace(/[^/]+$/, `namespaces/${namespace}/kuberopipelines/${name}`);
    const pipeline = await this.#client.get(path);
    if (!pipeline) return undefined;
    const period = this.#period(pipeline);
    const revisions = await history(this.#client, namespace, name);
    for (const stale of revisions.filter(({ status }) => status !== 'deployed')) await deleteRevision(this.#client, stale);
    const deployed = revisions.findLast(({ status }) => status === 'deployed');
    let done: { reason: string; manifest: string } | undefined;
    try {
      done = await this.#sync(pipeline, deployed, revisions.at(-1)?.version ?? 0);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const failed = { type: 'ReleaseFailed', status: 'True', reason: deployed ? 'UpgradeError' : 'InstallError' };
      await this.#setStatus(path, { ...failed, message: 'the API server refused it' });
      throw error;
    }
    if (done) await this.#setStatus(path, { type: 'Deployed', status: 'True', reason: done.reason }, done.manifest);
    else await this.#client.write('PUT', `${path}/status`, pipeline);
    return period;
  }

  /** A bad duration is an error of the reconciliation that no condition shows. */
  #period({ metadata }: Doc): number {
    const { period = 180_000, stubborn } = this.#options;
    const written = metadata.annotations?.[PERIOD];
    const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(written ?? '') ?? [];
    if (written !== undefined && unit === undefined) throw new Error(`time: unknown unit in duration "${written}"`);
    return unit === undefined || stubborn ? period : Number(amount) * UNITS[unit as keyof typeof UNITS];
  }

  /** Installs or upgrades; what the status then says, or nothing when there was nothing to do. As the real one's, the manifest holds credentials. */
  async #sync(pipeline: Doc, deployed: Release | undefined, newest: number): Promise<{ reason: string; manifest: string } | undefined> {
    const candidate = JSON.stringify(render(pipeline, undefined));
    if (deployed && deployed.manifest === candidate) {
      await this.#touch(JSON.parse(candidate) as Draft[]);
      return undefined;
    }
    const mainNamespace = (pipeline.spec as { mainnamespace?: string }).mainnamespace ?? 'kubero';
    const login = await this.#client.get(`/api/v1/namespaces/${mainNamespace}/secrets/registry-login`);
    const objects = render(pipeline, login);
    const status = deployed ? 'pending-upgrade' : 'pending-install';
    const next = await createRevision(this.#client, pipeline, newest + 1, status, JSON.stringify(objects));
    try {
      await this.#apply(objects);
    } catch (error) {
      await setStatus(this.#client, next, 'failed');
      if (deployed && error instanceof RefusedError) await this.#rollBack(pipeline, deployed, next.version + 1);
      throw error;
    }
    if (deployed) await setStatus(this.#client, deployed, 'superseded');
    await setStatus(this.#client, next, 'deployed');
    this.upgrades += deployed ? 1 : 0;
    return { reason: deployed ? 'UpgradeSuccessful' : 'InstallSuccessful', manifest: next.manifest };
  }

  async #rollBack(pipeline: Doc, deployed: Release, version: number): Promise<void> {
    const back = await createRevision(this.#client, pipeline, version, 'pending-rollback', deployed.manifest);
    await setStatus(this.#client, deployed, 'superseded');
    await setStatus(this.#client, back, 'deployed');
  }

  /** Helm's three-way merge: what is as rendered is only read. */
  async #apply(objects: Draft[]): Promise<void> {
    for (const object of objects) {
      const [collection, path] = pathsOf(object);
      const live = await this.#resources.get(path);
      const query = '?fieldManager=helm-operator';
      if (!live) await this.#resources.write('POST', collection + query, object);
      else if (JSON.stringify(live.data) !== JSON.stringify(object.data)) {
        await this.#resources.write('PATCH', path + query, { data: object.data });
      }
    }
  }

  async #touch(objects: Draft[]): Promise<void> {
    for (const object of objects) await this.#resources.get(pathsOf(object)[1]);
  }

  /** `status.SetCondition`: the time moves with the status alone. */
  async #setStatus(
    path: string,
    condition: { type: string; status: string; reason: string; message?: string },
    manifest?: string,
  ): Promise<void> {
    const pipeline = await this.#client.get(path);
    if (!pipeline) return;
    const conditions = ((pipeline.status?.conditions ?? []) as { type: string; lastTransitionTime?: string }[]).filter(
      ({ type }) => type !== 'ReleaseFailed' || condition.type !== 'Deployed',
    );
    const known = conditions.find(({ type }) => type === condition.type);
    const { lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '') } = known ?? {};
    const others = conditions.filter(({ type }) => type !== condition.type);
    const deployedRelease = manifest === undefined ? {} : { deployedRelease: { name: pipeline.metadata.name, manifest } };
    const status = { ...pipeline.status, conditions: [...others, { ...condition, lastTransitionTime }], ...deployedRelease };
    await this.#client.write('PUT', `${path}/status`, { ...pipeline, status });
  }

  /** False when it was interrupted by `stop`. */
  #wait(ms: number): Promise<boolean> {
    return delay(ms, true, { signal: this.#stopping.signal }).catch(() => false);
  }
}

function pathsOf({ kind, metadata }: Draft): [collection: string, path: string] {
  const collection = kind === 'Namespace' ? '/api/v1/namespaces' : `/api/v1/namespaces/${metadata?.namespace}/secrets`;
  return [collection, `${collection}/${metadata?.name}`];
}
