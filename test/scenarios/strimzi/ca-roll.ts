import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { Admin, type Doc, RefusedError } from '../../control-plane/admin.ts';
import { CLUSTER, createPod, IDENTITY, NAMESPACE, PATHS, PRESENTED, TRUSTED, templatesOf } from './ca-cluster.ts';
import { isReady } from './kubelet.ts';

/** Why a pod is restarted: rolls 1, 2 and 3 of a key replacement, as Strimzi's Events name them. */
export type Reason = 'ClusterCaCertKeyReplaced' | 'CaCertHasOldGeneration' | 'CaCertRemoved';

export interface CaOperatorOptions {
  /** Its own ServiceAccount's; the user agent is set to the operator's. */
  connection: Connection;
  /** 0.45.0 and later note the new generation before the roll, and skip the pods that have it. */
  version?: '0.43.0' | '0.45.0';
  /** Its pod's name. */
  identity: string;
  /** Of its lease; Strimzi's is 15. */
  leaseSeconds?: number;
  /** Called when a pod was deleted, and when it was Ready again: the moment to die. */
  onRestart?(pod: string, point: 'deleted' | 'ready', reason: Reason): void;
}

/** Ends the work of an operator that died. */
class DeadError extends Error {
  override name = 'DeadError';
}

/**
 * Replaces the cluster CA's key as Strimzi does: three rolls, with nothing kept between two runs but what the objects say. Up to 0.44
 * a pod of roll 1 is recreated with its old generation, so an operator that comes back begins roll 1 anew.
 */
export class FakeCaOperator {
  readonly restarts: { pod: string; reason: Reason }[] = [];
  /** What went wrong last, for a test that waits in vain. */
  lastError: string | undefined;
  readonly #options: CaOperatorOptions;
  readonly #api: Admin;
  readonly #dying = new AbortController();
  #loops: Promise<unknown> | undefined;

  constructor(options: CaOperatorOptions) {
    this.#options = options;
    this.#api = new Admin({ ...options.connection, userAgent: `${IDENTITY}/${options.version ?? '0.43.0'}` });
  }

  start(): void {
    this.#loops ??= this.#run();
  }

  /** Dies at once: the lease keeps its holder. */
  kill(): void {
    this.#dying.abort();
  }

  /** Is stopped as Kubernetes stops a pod: the lease is released. */
  async stop(): Promise<void> {
    const wasAlive = !this.#dying.signal.aborted;
    this.kill();
    await this.#loops;
    if (wasAlive) await this.#api.patch(`${PATHS.leases}/${IDENTITY}`, 'merge', { spec: { holderIdentity: '' } }).catch(() => undefined);
    this.#api.close();
  }

  async #run(): Promise<void> {
    while (!this.#dying.signal.aborted && !(await this.#hold().catch((error) => this.#failed(error)))) await this.#pause(100);
    const renewing = (async () => {
      while (await this.#pause(((this.#options.leaseSeconds ?? 2) * 1_000) / 7)) await this.#hold().catch((error) => this.#failed(error));
    })();
    while (!this.#dying.signal.aborted) {
      await this.#reconcile().catch((error) => this.#failed(error));
      await this.#pause(200);
    }
    await renewing;
  }

  /** Takes or renews the lease; false while somebody else has it. */
  async #hold(): Promise<boolean> {
    const { identity, leaseSeconds = 2 } = this.#options;
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: identity, renewTime, leaseDurationSeconds: leaseSeconds };
    const path = `${PATHS.leases}/${IDENTITY}`;
    const lease = await this.#api.get(path).catch((error) => {
      if (error instanceof RefusedError && error.status === 404) return undefined;
      throw error;
    });
    if (!lease) return Boolean(await this.#api.create(PATHS.leases, { metadata: { name: IDENTITY }, spec }));
    const { holderIdentity, renewTime: renewed } = lease.spec as Partial<typeof spec>;
    const isTaken = holderIdentity && holderIdentity !== identity && Date.now() - Date.parse(`${renewed}`) < leaseSeconds * 1_000;
    if (isTaken || this.#dying.signal.aborted) return false;
    return Boolean(await this.#api.replace(path, { ...lease, spec }));
  }

  async #reconcile(): Promise<void> {
    const [key, bundle, own] = await Promise.all(
      ['cluster-ca', 'cluster-ca-cert', 'cluster-operator-certs'].map((name) => this.#secret(name)),
    );
    if (!key || !bundle || !own) return;
    if (key.metadata.annotations?.['strimzi.io/force-replace']) return this.#replaceKey(key, bundle);
    const generation = `${key.metadata.annotations?.['strimzi.io/ca-key-generation']}`;
    const certificate = `${bundle.metadata.annotations?.['strimzi.io/ca-cert-generation']}`;
    await this.#createMissing();
    const pods = await this.#api.list(PATHS.pods);
    if (pods.some(({ metadata }) => metadata.annotations?.[TRUSTED] !== generation)) await this.#trust(generation);
    else await this.#annotate(own, { [PRESENTED]: certificate });
    await this.#present(generation, certificate);
    const after = await this.#api.list(PATHS.pods);
    const isUsed = own.metadata.annotations?.[PRESENTED] === certificate;
    if (isUsed && after.every(({ metadata }) => metadata.annotations?.[PRESENTED] === certificate)) await this.#forget(bundle);
  }

  /** The trust bundle first, the key after it. */
  async #replaceKey(key: Doc, bundle: Doc): Promise<void> {
    const next = (generation: string | undefined): string => `${Number(generation) + 1}`;
    const { 'strimzi.io/force-replace': _, ...annotations } = key.metadata.annotations ?? {};
    const certificate = next(bundle.metadata.annotations?.['strimzi.io/ca-cert-generation']);
    await this.#update('secrets', {
      ...bundle,
      metadata: { ...bundle.metadata, annotations: { ...bundle.metadata.annotations, 'strimzi.io/ca-cert-generation': certificate } },
      data: { ...(bundle.data as object), 'ca-2027-11-21T02-24-50Z.crt': '' },
    });
    const generation = next(annotations['strimzi.io/ca-key-generation']);
    await this.#update('secrets', {
      ...key,
      metadata: { ...key.metadata, annotations: { ...annotations, 'strimzi.io/ca-key-generation': generation } },
    });
    // Strimzi needs about as long to its first delete.
    await this.#pause(1_200);
  }

  /** Roll 1. */
  async #trust(generation: string): Promise<void> {
    const continues = this.#options.version === '0.45.0';
    if (continues) await this.#note({ [TRUSTED]: generation });
    for (const { metadata } of templatesOf(await this.#api.get(PATHS.podSet))) {
      const pod = await this.#api.get(`${PATHS.pods}/${metadata.name}`);
      if (continues && pod.metadata.annotations?.[TRUSTED] === generation) continue;
      await this.#restart(metadata.name, 'ClusterCaCertKeyReplaced');
    }
  }

  /** Roll 2. */
  async #present(generation: string, certificate: string): Promise<void> {
    await this.#note({ [TRUSTED]: generation, [PRESENTED]: certificate });
    for (const { metadata } of await this.#api.list(PATHS.pods)) {
      if (metadata.annotations?.[PRESENTED] !== certificate) await this.#restart(metadata.name, 'CaCertHasOldGeneration');
    }
  }

  /** Roll 3. */
  async #forget(bundle: Doc): Promise<void> {
    const files = Object.entries((bundle.data ?? {}) as object);
    const kept = files.filter(([file]) => !file.startsWith('ca-'));
    if (kept.length === files.length) return;
    await this.#update('secrets', { ...bundle, data: Object.fromEntries(kept) });
    for (const { metadata } of await this.#api.list(PATHS.pods)) await this.#restart(metadata.name, 'CaCertRemoved');
  }

  /** Deletes the pod, then tells, then it is created again from its entry. */
  async #restart(name: string, reason: Reason): Promise<void> {
    this.#alive();
    await this.#api.delete(`${PATHS.pods}/${name}`);
    this.restarts.push({ pod: name, reason });
    this.#options.onRestart?.(name, 'deleted', reason);
    await this.#pause(50);
    this.#alive();
    await this.#api.create(PATHS.events, {
      metadata: { name: `strimzi-event-${this.#options.identity}-${this.restarts.length}` },
      ...{ action: 'StrimziInitiatedPodRestart', reason, type: 'Normal', note: reason },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      ...{ reportingController: 'strimzi.io/cluster-operator', reportingInstance: this.#options.identity },
      regarding: { kind: 'Pod', namespace: NAMESPACE, name },
    });
    await this.#createMissing();
    while (!isReady(await this.#api.get(`${PATHS.pods}/${name}`))) {
      await this.#pause(50);
      this.#alive();
    }
    this.#options.onRestart?.(name, 'ready', reason);
    this.#alive();
  }

  async #createMissing(): Promise<void> {
    const podSet = await this.#api.get(PATHS.podSet);
    const pods = await this.#api.list(PATHS.pods);
    for (const template of templatesOf(podSet)) {
      this.#alive();
      if (!pods.some(({ metadata }) => metadata.name === template.metadata.name)) await createPod(this.#api, podSet, template);
    }
  }

  /** Writes annotations on every entry, with PUT as Strimzi does, also where nothing changes. */
  async #note(annotations: Record<string, string>): Promise<void> {
    const podSet = await this.#api.get(PATHS.podSet);
    const pods = templatesOf(podSet).map((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, ...annotations } },
    }));
    this.#alive();
    await this.#api.replace(PATHS.podSet, { ...podSet, spec: { ...podSet.spec, pods } });
  }

  async #annotate(object: Doc, annotations: Record<string, string>): Promise<void> {
    const before = object.metadata.annotations ?? {};
    if (Object.entries(annotations).every(([name, value]) => before[name] === value)) return;
    await this.#update('secrets', { ...object, metadata: { ...object.metadata, annotations: { ...before, ...annotations } } });
  }

  async #update(kind: 'secrets', object: Doc): Promise<void> {
    this.#alive();
    await this.#api.replace(`${PATHS[kind]}/${object.metadata.name}`, object);
  }

  #secret(name: string): Promise<Doc> {
    return this.#api.get(`${PATHS.secrets}/${CLUSTER}-${name}`);
  }

  #alive(): void {
    if (this.#dying.signal.aborted) throw new DeadError('this operator is dead');
  }

  #failed(error: unknown): false {
    if (!(error instanceof DeadError)) this.lastError = String(error);
    return false;
  }

  /** False when it was cut short. */
  #pause(ms: number): Promise<boolean> {
    return delay(ms, true, { signal: this.#dying.signal }).catch(() => false);
  }
}
