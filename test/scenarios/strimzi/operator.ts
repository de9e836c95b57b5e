import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Connection, Transport } from '../../../shared/kubernetes/transport.ts';
import type { Doc } from '../../control-plane/admin.ts';
import { watchEvents } from '../../control-plane/watch.ts';
import { desiredStatus, type Status, type StatusOptions } from './status.ts';

export interface OperatorOptions extends StatusOptions {
  /** Its own ServiceAccount's; the user agent is set to the operator's. */
  connection: Connection;
  /** What one reconciliation takes, ms. Real ones took 60 ms (nothing to do but fail) to 4 s (three brokers, busy machine). */
  pace?: number;
  /** Every resource is reconciled so often without an event, ms (`STRIMZI_FULL_RECONCILIATION_INTERVAL_MS`). */
  reconcileInterval?: number;
  now?: () => number;
}

/**
 * Behaves as Strimzi's Kafka reconciler towards the API server: any event of a Kafka starts a reconciliation, its own writes included,
 * and a status that differs in more than timestamps is PUT with a fresh timestamp. On CRDs without one of its fields that never ends.
 * (`AbstractOperator.updateStatus`, `StatusDiff` and `eventHandler`, the same from 0.33 to 1.2.)
 */
export class FakeStrimziOperator {
  /** Status PUTs that were answered 200. */
  writes = 0;
  /** Status PUTs that were answered 409; the next event tries again. */
  conflicts = 0;
  /** What went wrong last, for a test that waits in vain. */
  lastError: string | undefined;
  readonly #options: OperatorOptions;
  readonly #transport: Transport;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>();
  #loop: Promise<unknown> | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#transport = new Transport({ ...options.connection, userAgent: `strimzi-cluster-operator/${options.version ?? '0.43.0'}` });
  }

  /** Starts watching; a second call does nothing. */
  start(): void {
    this.#loop ??= Promise.all([this.#watchLoop(), this.#timerLoop()]);
  }

  /** Resolves when nothing of it runs any more. It cannot be started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    this.#transport.close();
  }

  get #kafkas(): string {
    return `/apis/kafka.strimzi.io/${this.#options.apiVersion ?? 'v1beta2'}/kafkas`;
  }

  /** A watch that ends (its CRD was applied, the server's timeout) is followed by a new list. */
  async #watchLoop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const version = await this.#reconcileAll();
        const watch = watchEvents(this.#transport, `${this.#kafkas}?watch=1&resourceVersion=${version}`, signal);
        for await (const { type, object } of watch) {
          if (type === 'ERROR') break;
          if (type !== 'DELETED') this.#reconcileSoon(object);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.lastError = String(error);
        await this.#wait(100);
      }
    }
  }

  async #timerLoop(): Promise<void> {
    while (await this.#wait(this.#options.reconcileInterval ?? 120_000)) {
      await this.#reconcileAll().catch((error) => {
        this.lastError = String(error);
      });
    }
  }

  /** Returns the list's resourceVersion. */
  async #reconcileAll(): Promise<string> {
    const list = await this.#get(this.#kafkas);
    if (list === undefined) throw new Error(`${this.#kafkas} is not served`);
    for (const kafka of list.items as Doc[]) this.#reconcileSoon(kafka);
    return list.metadata.resourceVersion ?? '';
  }

  /** One reconciliation at a time per resource; events that come meanwhile are one more afterwards. */
  #reconcileSoon({ metadata: { namespace, name } }: Doc): void {
    const path = this.#kafkas.replace(/kafkas$/, `namespaces/${namespace}/kafkas/${name}`);
    const running = this.#running.get(path);
    if (running) {
      running.again = true;
      return;
    }
    const entry = { again: false, done: Promise.resolve() };
    this.#running.set(path, entry);
    entry.done = this.#reconcileWhileAsked(path, entry);
  }

  async #reconcileWhileAsked(path: string, entry: { again: boolean }): Promise<void> {
    do {
      entry.again = false;
      try {
        if (await this.#wait(this.#options.pace ?? 300)) await this.#reconcile(path);
      } catch (error) {
        this.lastError = String(error);
      }
    } while (entry.again && !this.#stopping.signal.aborted);
    this.#running.delete(path);
  }

  async #reconcile(path: string): Promise<void> {
    const kafka = await this.#get(path);
    if (kafka === undefined || kafka.metadata.annotations?.['strimzi.io/pause-reconciliation'] === 'true') return;
    const children = path.slice(0, path.indexOf('/kafkas/'));
    const selector = `?labelSelector=${encodeURIComponent(`strimzi.io/cluster=${kafka.metadata.name}`)}`;
    const pools = ((await this.#get(`${children}/kafkanodepools${selector}`))?.items ?? []) as Doc[];
    await this.#rewritePodSets(kafka, selector);
    const { now = Date.now, ...options } = this.#options;
    const status = desiredStatus(kafka, pools, options, new Date(now()).toISOString());
    if (isDeepStrictEqual(withoutTimes(kafka.status), withoutTimes(status))) return;
    const { status: code, body } = await this.#send('PUT', `${path}/status`, { ...kafka, status });
    if (code === 200) this.writes += 1;
    else if (code === 409) this.conflicts += 1;
    else throw new Error(`PUT ${path}/status was answered ${code}: ${JSON.stringify(body).slice(0, 500)}`);
  }

  /** Every reconciliation PUTs each pod set as it is: healthy noise that changes nothing. */
  async #rewritePodSets({ metadata: { namespace } }: Doc, selector: string): Promise<void> {
    const path = `/apis/core.strimzi.io/${this.#options.apiVersion ?? 'v1beta2'}/namespaces/${namespace}/strimzipodsets`;
    const podSets = ((await this.#get(path + selector))?.items ?? []) as Doc[];
    for (const podSet of podSets) await this.#send('PUT', `${path}/${podSet.metadata.name}`, podSet);
  }

  async #get(path: string): Promise<Doc | undefined> {
    const { status, body } = await this.#transport.send({ method: 'GET', path, signal: this.#stopping.signal });
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${path} was answered ${status}: ${JSON.stringify(body).slice(0, 500)}`);
    return body as Doc;
  }

  #send(method: 'PUT', path: string, body: Doc) {
    return this.#transport.send({ method, path, body, signal: this.#stopping.signal });
  }

  /** False when it was interrupted by `stop`. */
  #wait(ms: number): Promise<boolean> {
    return delay(ms, true, { signal: this.#stopping.signal }).catch(() => false);
  }
}

/** StatusDiff ignores `/conditions/<n>/lastTransitionTime`, and nothing else. */
function withoutTimes(status: Status | undefined): Status {
  if (!Array.isArray(status?.conditions)) return status ?? {};
  const conditions = (status.conditions as Status[]).map(({ lastTransitionTime, ...rest }) => rest);
  return { ...status, conditions };
}
