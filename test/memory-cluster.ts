import { canonical } from '../shared/canonical.ts';
import { applyJsonPatch } from '../shared/json-patch.ts';
import type { KubernetesObject, ManagedField } from '../shared/kubernetes/object.ts';
import type { Answer, Request } from '../shared/kubernetes/transport.ts';
import { applyMergePatch, leavesOf } from './json-patch.ts';

/** One request as the API server saw it. `stored`: it changed what is stored. */
export interface Logged {
  method: Request['method'];
  path: string;
  dryRun: boolean;
  status: number;
  stored: boolean;
}

/** What goes wrong with a request. `lost before`/`lost after`: no answer, and the write did not or did take place; `swallowed`: 200, and nothing stored. */
export type Fault = { status: number; message: string } | 'lost before' | 'lost after' | 'swallowed';

interface Stored {
  object: KubernetesObject;
  /** Pointers of the fields each manager owns: `kubemend Update`. */
  owners: Map<string, { time: string; fields: Set<string> }>;
}

const PATH = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/;

/** An API server in memory with the semantics kubemend relies on: locks, dry runs, managedFields with whole seconds, no-op writes that store nothing. */
export class MemoryCluster {
  readonly requests: Logged[] = [];
  /** Called before the n-th request (from 1) is looked at: a test changes objects here, or answers with a fault. */
  intercept: (request: Request, n: number) => Fault | undefined = () => undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #served: Set<string>;
  readonly #now: () => number;
  #revision = 100;
  #uids = 0;

  /** `served`: paths of the collections without namespace, `/apis/example.com/v1/widgets`. */
  constructor(served: string[], now: () => number) {
    this.#served = new Set(served);
    this.#now = now;
  }

  /** The stored object at a path, as a copy. */
  get(path: string): KubernetesObject | undefined {
    const stored = this.#objects.get(path);
    return stored && structuredClone(stored.object);
  }

  /** Somebody else creates an object. */
  create(path: string, object: Partial<KubernetesObject>, manager = 'kubectl'): KubernetesObject {
    return this.#create(path, object as KubernetesObject, manager, false);
  }

  /** Somebody else changes an object by a merge patch. */
  change(path: string, patch: Record<string, unknown>, manager = 'kubectl'): void {
    const stored = this.#objects.get(path);
    if (stored) this.#store(path, stored, applyMergePatch(stored.object, patch) as KubernetesObject, `${manager} Update`, false);
  }

  remove(path: string): void {
    this.#objects.delete(path);
  }

  /** Requests that changed what is stored. */
  get writes(): Logged[] {
    return this.requests.filter(({ stored }) => stored);
  }

  /** The shape of `Transport.send`. */
  send = async (request: Request): Promise<Answer> => {
    await Promise.resolve();
    request.signal?.throwIfAborted();
    const url = new URL(request.path, 'https://memory');
    const dryRun = url.searchParams.get('dryRun') === 'All' || (request.body as { dryRun?: string[] } | undefined)?.dryRun?.[0] === 'All';
    const fault = this.intercept(request, this.requests.length + 1) ?? undefined;
    if (fault === 'lost before') throw new Error('socket hang up');
    const before = this.#revision;
    const skip = dryRun || fault === 'swallowed';
    const answer = typeof fault === 'object' ? problem(fault.status, fault.message) : this.#answer(request, url, skip);
    const stored = this.#revision > before;
    this.requests.push({ method: request.method, path: url.pathname, dryRun, status: answer.status, stored });
    if (fault === 'lost after') throw new Error('socket hang up');
    return structuredClone(answer);
  };

  #answer({ method, body, contentType }: Request, url: URL, dryRun: boolean): Answer {
    const [, root, namespace, resource, name] = PATH.exec(url.pathname) ?? [];
    if (!this.#served.has(`${root}/${resource}`)) return problem(404, 'the server could not find the requested resource');
    const path = url.pathname;
    const manager = url.searchParams.get('fieldManager') ?? 'unknown';
    if (name === undefined && method === 'GET') return this.#list(`${root}`, namespace, `${resource}`);
    if (name === undefined) {
      const object = body as KubernetesObject;
      const at = `${path}/${object.metadata.name}`;
      if (this.#objects.has(at)) return problem(409, `${resource} "${object.metadata.name}" already exists`);
      return ok(this.#create(at, object, manager, dryRun), 201);
    }
    const stored = this.#objects.get(path);
    const applies = contentType === 'application/apply-patch+yaml';
    if (!stored && !applies) return missing(resource, name);
    const preconditions = (method === 'DELETE' ? (body as { preconditions?: Lock } | undefined)?.preconditions : lockOf(body)) ?? {};
    const { uid, resourceVersion } = stored?.object.metadata ?? {};
    if (method !== 'GET' && preconditions.uid && preconditions.uid !== uid)
      return problem(409, `Precondition failed: UID in precondition: ${preconditions.uid}`);
    if (method !== 'GET' && preconditions.resourceVersion && preconditions.resourceVersion !== resourceVersion)
      return problem(409, `Operation cannot be fulfilled on ${resource} "${name}": the object has been modified`);
    if (!stored) return ok(this.#create(path, body as KubernetesObject, manager, dryRun, 'Apply'), 201);
    if (method === 'GET') return ok(stored.object);
    if (method === 'DELETE') {
      if (!dryRun) this.#revision += 1;
      if (!dryRun) this.#objects.delete(path);
      return ok({ status: 'Success' });
    }
    const { patched, config } = patch(stored.object, body, contentType);
    if (!patched) return problem(422, 'the server rejected our request due to an error in our request');
    const operation = config ? 'Apply' : 'Update';
    return ok(this.#store(path, stored, patched, `${manager} ${operation}`, dryRun, config));
  }

  #list(root: string, namespace: string | undefined, resource: string): Answer {
    const items = [...this.#objects].flatMap(([path, { object }]) => {
      const [, theirRoot, theirs, their] = PATH.exec(path) ?? [];
      return theirRoot === root && their === resource && (!namespace || theirs === namespace) ? [object] : [];
    });
    return ok({ kind: 'List', metadata: { resourceVersion: `${this.#revision}` }, items });
  }

  #create(path: string, object: KubernetesObject, manager: string, dryRun: boolean, operation = 'Update'): KubernetesObject {
    this.#uids += 1;
    const [, , namespace, , name = ''] = PATH.exec(path) ?? [];
    const creationTimestamp = this.#second();
    const metadata = {
      ...object.metadata,
      name,
      ...(namespace && { namespace }),
      uid: `uid-${this.#uids}`,
      creationTimestamp,
      generation: 0,
    };
    const stored: Stored = { object: { metadata }, owners: new Map() };
    return this.#store(path, stored, { ...object, metadata }, `${manager} ${operation}`, dryRun);
  }

  #store(
    path: string,
    { object: before, owners }: Stored,
    after: KubernetesObject,
    manager: string,
    dryRun: boolean,
    config?: unknown,
  ): KubernetesObject {
    const { uid, creationTimestamp, generation = 0, resourceVersion, managedFields } = before.metadata;
    const metadata = {
      ...after.metadata,
      uid,
      creationTimestamp,
      generation,
      resourceVersion,
      managedFields,
    } as KubernetesObject['metadata'];
    const object: KubernetesObject = { ...after, metadata };
    const changed = changedLeaves(before, object);
    const applied = config === undefined ? undefined : new Set(leavesOf(config).filter((leaf) => !SERVER_OWNED.test(leaf)));
    const sameOwner = !applied || canonical([...applied].sort()) === canonical([...(owners.get(manager)?.fields ?? [])].sort());
    if (changed.length === 0 && sameOwner && resourceVersion) return before;
    const next = new Map(
      [...owners].map(([name, { time, fields }]) => [
        name,
        { time, fields: new Set([...fields].filter((leaf) => !changed.includes(leaf))) },
      ]),
    );
    next.set(manager, { time: this.#second(), fields: applied ?? new Set([...(next.get(manager)?.fields ?? []), ...changed]) });
    if (changed.some((leaf) => !leaf.startsWith('/metadata') && !leaf.startsWith('/status'))) metadata.generation = generation + 1;
    metadata.managedFields = [...next].filter(([, { fields }]) => fields.size > 0).map(entryOf);
    metadata.resourceVersion = `${this.#revision + 1}`;
    if (dryRun) return object;
    this.#revision += 1;
    this.#objects.set(path, { object, owners: next });
    return object;
  }

  #second = (): string => new Date(Math.floor(this.#now() / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
}

interface Lock {
  uid?: string;
  resourceVersion?: string;
}

const SERVER_OWNED = /^\/(apiVersion|kind|metadata\/(name|namespace|uid|resourceVersion|generation|creationTimestamp|managedFields)(\/|$))/;

const lockOf = (body: unknown): Lock | undefined => (Array.isArray(body) ? undefined : (body as { metadata?: Lock } | undefined)?.metadata);

function patch(object: KubernetesObject, body: unknown, contentType = ''): { patched: KubernetesObject | undefined; config?: unknown } {
  if (contentType === 'application/json-patch+json')
    return { patched: applyJsonPatch(object, body as Parameters<typeof applyJsonPatch>[1]) };
  const patched = applyMergePatch(object, body) as KubernetesObject;
  return contentType === 'application/apply-patch+yaml' ? { patched, config: body } : { patched };
}

/** Leaves that were added, removed or got another value, without what only the server sets. */
function changedLeaves(before: KubernetesObject, after: KubernetesObject): string[] {
  const at = (object: unknown, leaf: string): unknown =>
    leaf
      .split('/')
      .slice(1)
      .reduce<unknown>(
        (node, key) => (node as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
        object,
      );
  const leaves = new Set([...leavesOf(before), ...leavesOf(after)]);
  return [...leaves].filter(
    (leaf) => !SERVER_OWNED.test(leaf) && canonical(at(before, leaf) ?? null) !== canonical(at(after, leaf) ?? null),
  );
}

function entryOf([name, { time, fields }]: [string, { time: string; fields: Set<string> }]): ManagedField {
  const [manager = '', operation = ''] = name.split(/ (?=[^ ]+$)/);
  const fieldsV1: Record<string, unknown> = {};
  for (const leaf of fields) {
    let node = fieldsV1;
    for (const key of leaf.split('/').slice(1)) {
      const inner = (node[`f:${key}`] ?? {}) as Record<string, unknown>;
      node[`f:${key}`] = inner;
      node = inner;
    }
  }
  return { manager, operation, time, fieldsV1 };
}

const ok = (body: unknown, status = 200): Answer => ({ status, body, warnings: [] });
const problem = (status: number, message: string): Answer =>
  ok({ kind: 'Status', status: 'Failure', message, code: status, details: {} }, status);
const missing = (kind: string | undefined, name: string): Answer =>
  ok({ kind: 'Status', status: 'Failure', message: `${kind} "${name}" not found`, code: 404, details: { name, kind } }, 404);
