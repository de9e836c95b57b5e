import type { Artifacts } from '../artifacts/artifacts.ts';
import { type Cluster, Doubt, type Read } from '../cluster.ts';
import { type ZnodeReference, znodeName } from '../znode-step.ts';
import type { Znode } from '../zookeeper/client.ts';
import { atZookeeper, type Dialer } from '../zookeeper/reach.ts';
import { isSecret, METADATA, METADATA_LIST, secretMetadata } from './metadata-only.ts';
import { type Collection, type KubernetesObject, pathOf, type Reference } from './object.ts';
import type { Answer } from './transport.ts';

/** The half of a transport that reads. */
export interface Getter extends Dialer {
  send(request: { method: 'GET'; path: string; accept?: string | undefined; signal?: AbortSignal | undefined }): Promise<Answer>;
}

interface Page {
  apiVersion?: string;
  kind?: string;
  items?: KubernetesObject[];
  metadata?: { continue?: string };
}

/** One examination's view of a live cluster: each object is read once, and every read is kept as evidence. */
export class LiveCluster implements Cluster {
  readonly name: string;
  readonly reads: Read[] = [];
  readonly #getter: Getter;
  readonly #artifacts: Artifacts;
  readonly #signal: AbortSignal | undefined;
  readonly #seen = new Map<string, Promise<KubernetesObject | undefined>>();
  readonly #znodes = new Map<string, Promise<Znode | undefined>>();

  constructor(name: string, getter: Getter, artifacts: Artifacts, signal?: AbortSignal) {
    this.name = name;
    this.#getter = getter;
    this.#artifacts = artifacts;
    this.#signal = signal;
  }

  async get(reference: Reference): Promise<KubernetesObject | undefined> {
    const path = pathOf(reference, reference.name);
    const known = this.#seen.get(path) ?? this.#read(path, isSecret(reference));
    this.#seen.set(path, known);
    return known;
  }

  async list(collection: Collection): Promise<KubernetesObject[]> {
    const path = pathOf(collection);
    const items: KubernetesObject[] = [];
    let next: string | undefined;
    do {
      const query = new URLSearchParams({ limit: '500' });
      if (collection.labelSelector) query.set('labelSelector', collection.labelSelector);
      if (next) query.set('continue', next);
      const page = (await this.#send(`${path}?${query}`, isSecret(collection) ? METADATA_LIST : undefined)) as Page | undefined;
      if (page?.items === undefined) throw new Doubt(`Listing ${path} gave no list: is the resource served by this cluster?`);
      for (const item of page.items) items.push(this.#keep(collection, page, item));
      next = page.metadata?.continue;
    } while (next);
    this.reads.push({ path, found: true, items: items.length });
    return items;
  }

  /** A listed object is read once too: its lock is taken from the state that was judged. Items of a list carry no kind of their own. */
  #keep({ group, version, resource }: Collection, { apiVersion, kind }: Page, item: KubernetesObject): KubernetesObject {
    const whole = { ...(apiVersion && { apiVersion }), ...(kind && { kind: kind.replace(/List$/, '') }), ...item };
    const object = isSecret({ group, resource }) ? secretMetadata(whole) : whole;
    const { namespace, name } = item.metadata;
    const path = pathOf({ group, version, resource, namespace }, name);
    if (!this.#seen.has(path)) this.#seen.set(path, Promise.resolve(object));
    return object;
  }

  async artifact(name: string): Promise<{ text: string; sha256: string } | undefined> {
    const known = await this.#artifacts.describe(name);
    return known && { text: await this.#artifacts.get(name, known.sha256), sha256: known.sha256 };
  }

  /** Nothing but an answer of ZooKeeper itself says that a node is absent. */
  znode(reference: ZnodeReference): Promise<Znode | undefined> {
    const name = znodeName(reference);
    const known = this.#znodes.get(name) ?? this.#readZnode(reference, name);
    this.#znodes.set(name, known);
    return known;
  }

  async #readZnode(reference: ZnodeReference, name: string): Promise<Znode | undefined> {
    const reading = atZookeeper(this.#getter, reference, (znodes) => znodes.read(reference.path));
    const znode = await reading.catch((cause: Error & { status?: number }) => {
      const hint = cause.status === 403 ? ' (apply the RBAC of this remediation, pinned to this pod)' : '';
      throw new Doubt(`${name}: ${cause.message}${hint}`, { cause });
    });
    const version = znode && { uid: znode.czxid, resourceVersion: `${znode.version}` };
    this.reads.push({ path: name, found: znode !== undefined, ...version });
    return znode;
  }

  async #read(path: string, secret: boolean): Promise<KubernetesObject | undefined> {
    const whole = (await this.#send(path, secret ? METADATA : undefined)) as KubernetesObject | undefined;
    if (whole !== undefined && typeof whole.metadata?.name !== 'string')
      throw new Doubt(`GET ${path} answered something that is no object`);
    const object = whole && secret ? secretMetadata(whole) : whole;
    const { uid, resourceVersion } = object?.metadata ?? {};
    this.reads.push({ path, found: object !== undefined, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) });
    return object;
  }

  async #send(path: string, accept?: string): Promise<unknown> {
    const answer = await this.#getter.send({ method: 'GET', path, accept, signal: this.#signal }).catch((cause: Error) => {
      throw new Doubt(`GET ${path}: ${cause.message}`, { cause });
    });
    const { status } = answer;
    const body = answer.body ?? {};
    // Only an answer that names the object says that it does not exist; an unknown kind or group is a 404 without a name.
    if (status === 404 && (body as { details?: { name?: string } }).details?.name !== undefined) return undefined;
    if (status === 200) return body;
    const { message = String(body) } = body as { message?: string };
    throw new Doubt(`GET ${path} answered ${status}: ${message}${status === 403 ? ' (apply the RBAC of this remediation)' : ''}`);
  }
}
