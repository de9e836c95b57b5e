import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../../shared/kubernetes/transport.ts';
import { Admin, type Doc, RefusedError } from '../../control-plane/admin.ts';
import type { Release } from './arithmetic.ts';
import { type Paths, pathsOf } from './cluster.ts';
import { reconcileCluster } from './instances.ts';
import { reconcileOperation } from './operation.ts';

export interface ControllerOptions {
  /** Its own ServiceAccount's; the user agent is set to KubeBlocks'. */
  connection: Connection;
  namespace: string;
  release?: Release;
  /** Between two rounds, ms. */
  pace?: number;
  /** A pod that is not Ready yet may become so: what a slow node decides. */
  becomesReady?: (pod: string) => boolean;
}

/** What the parts of the controller work with in one round. */
export interface Round {
  release: Release;
  api: Admin;
  paths: Paths;
  becomesReady(pod: string): boolean;
  now(): number;
}

/**
 * Behaves as KubeBlocks towards the API server, for horizontal scaling: queues operations in the Cluster's annotation, changes the Cluster
 * once when an operation begins, keeps pods as the Cluster says, and writes only what changed: a stuck operation is silent.
 */
export class FakeKubeBlocks {
  /** What went wrong last, for a test that waits in vain. */
  lastError: string | undefined;
  readonly #options: ControllerOptions;
  readonly #api: Admin;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { release = '1.0.0', connection } = options;
    this.#api = new Admin({ ...connection, userAgent: `KubeBlocks v${release} (linux/amd64)` });
  }

  /** Starts reconciling; a second call does nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    this.#api.close();
  }

  async #run(): Promise<void> {
    const { release = '1.0.0', namespace, pace = 150, becomesReady = () => true } = this.#options;
    const paths = pathsOf(release, namespace);
    const round: Round = { release, api: this.#api, paths, becomesReady, now: Date.now };
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for (const cluster of await this.#api.list(paths.clusters)) await reconcileCluster(round, cluster);
        const operations = (await this.#api.list(paths.ops)).sort(byCreation);
        for (const { metadata } of operations) await reconcileOperation(round, metadata.name);
      } catch (error) {
        // A lost race is the next round's work.
        if (!(error instanceof RefusedError && [404, 409].includes(error.status))) this.lastError = String(error);
      }
      await delay(pace, undefined, { signal }).catch(() => undefined);
    }
  }
}

const byCreation = (a: Doc, b: Doc): number => String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp));
