import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../../shared/kubernetes/object.ts';
import { type Answer, type Connection, type Request, Transport } from '../../shared/kubernetes/transport.ts';

/** An object as the API server gives it to a test: it says what it is. */
export type Doc = KubernetesObject & { apiVersion: string; kind: string };

/** What a test sends: an object whose server-side fields are still missing. */
export type Draft = Partial<Doc> & Record<string, unknown>;

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** An answer that was no success; `status` is the HTTP code. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly status: number;

  constructor({ method, path }: Request, { status, body }: Answer) {
    const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : JSON.stringify(body);
    super(`${method} ${path} was answered ${status}: ${message}`);
    this.status = status;
  }
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Client for tests and scenarios: it may write anything, and throws `RefusedError` for every answer of 400 and more. */
export class Admin {
  readonly transport: Transport;

  constructor(connection: Connection) {
    this.transport = new Transport(connection);
  }

  get(path: string): Promise<Doc> {
    return this.#send({ method: 'GET', path });
  }

  async list(path: string): Promise<Doc[]> {
    return (await this.#send({ method: 'GET', path })).items as Doc[];
  }

  /** `path` is the collection's. */
  create(path: string, body: Draft): Promise<Doc> {
    return this.#send({ method: 'POST', path, body });
  }

  replace(path: string, body: Draft): Promise<Doc> {
    return this.#send({ method: 'PUT', path, body });
  }

  /** `apply` needs `?fieldManager=` in the path. */
  patch(path: string, type: keyof typeof PATCH_TYPES, body: unknown): Promise<Doc> {
    return this.#send({ method: 'PATCH', path, body, contentType: PATCH_TYPES[type] });
  }

  delete(path: string): Promise<Doc> {
    return this.#send({ method: 'DELETE', path });
  }

  /** Server-side apply of a CustomResourceDefinition; waits until its resources are served. */
  async applyCrd(crd: Draft, fieldManager = 'kubectl'): Promise<Doc> {
    const name = crd.metadata?.name;
    await this.patch(`${CRDS}/${name}?fieldManager=${fieldManager}&force=true`, 'apply', crd);
    return this.established(`${name}`);
  }

  /** As Helm installs the documents of a chart's `crds/`: created once, never upgraded. */
  async createCrd(crd: Draft, fieldManager = 'helm'): Promise<Doc> {
    await this.create(`${CRDS}?fieldManager=${fieldManager}`, crd);
    return this.established(`${crd.metadata?.name}`);
  }

  /** Resolves when the definition is Established and a list of its resources is answered. */
  async established(name: string): Promise<Doc> {
    const crd = await this.until(`${CRDS}/${name}`, ({ status }) => {
      const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
      return conditions.some((condition) => condition.type === 'Established' && condition.status === 'True');
    });
    const { group, names, versions } = crd.spec as {
      group: string;
      names: { plural: string };
      versions: { name: string; served: boolean }[];
    };
    const version = versions.find(({ served }) => served)?.name;
    await this.until(`/apis/${group}/${version}/${names.plural}?limit=1`, () => true);
    return crd;
  }

  /** Token of a ServiceAccount by TokenRequest, for one hour. */
  async serviceAccountToken(namespace: string, name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    return (await this.create(path, body)).status?.token as string;
  }

  /** Reads until the object is there and `holds`. Throws after `within` ms, with the last object. */
  async until(path: string, holds: (object: Doc) => boolean, within = 20_000): Promise<Doc> {
    const deadline = Date.now() + within;
    for (;;) {
      const { status, body } = await this.transport.send({ method: 'GET', path });
      if (status === 200 && holds(body as Doc)) return body as Doc;
      if (Date.now() > deadline)
        throw new Error(
          `${path} did not become what was awaited within ${within / 1000} s: ${status} ${JSON.stringify(body).slice(-1_000)}`,
        );
      await delay(25);
    }
  }

  close(): void {
    this.transport.close();
  }

  async #send(request: Request): Promise<Doc> {
    const answer = await this.transport.send(request);
    if (answer.status >= 400) throw new RefusedError(request, answer);
    return answer.body as Doc;
  }
}
