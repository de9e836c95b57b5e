import type { ServerResponse } from 'node:http';
import { type ApiServer, json, line, startApiServer } from './api-server.ts';

interface Thing {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid: string; resourceVersion: string; generation: number; managedFields: unknown[] };
  spec: { value: string };
}

/** An API server for `demo/v1 things` that remembers every version, as etcd does, until it is compacted. */
export interface HistoryServer {
  api: ApiServer;
  /** Creates or changes a thing, stamped with a time in milliseconds; returns its resourceVersion. */
  put(name: string, value: string, at: number): number;
  remove(name: string): void;
  /** Forgets all versions before the newest. */
  compact(): void;
  /** Breaks off every watch. */
  breakOff(): void;
  /** False: as if the CRD were deleted. */
  serve(isServed: boolean): void;
}

/** Starts one. */
export async function startHistoryServer(): Promise<HistoryServer> {
  const log: { type: string; version: number; thing: Thing }[] = [];
  const streams = new Set<ServerResponse>();
  let version = 100;
  let compacted = 0;
  let isServed = true;
  const stateAt = (until: number): Map<string, Thing> => {
    const things = new Map<string, Thing>();
    for (const { type, version: at, thing } of log) {
      if (at > until) break;
      if (type === 'DELETED') things.delete(thing.metadata.name);
      else things.set(thing.metadata.name, thing);
    }
    return things;
  };
  const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  const api = await startApiServer((response, url) => {
    if (!isServed) return json(response, {}, 404);
    if (url.pathname === '/apis/demo') return json(response, { versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } });
    if (url.pathname === '/apis/demo/v1') return json(response, { resources: [{ name: 'things', kind: 'Thing', namespaced: true }] });
    const asked = Number(url.searchParams.get('resourceVersion') ?? version);
    if (asked < compacted) return json(response, expired, 410);
    if (!url.searchParams.has('watch')) {
      const items = [...stateAt(asked).values()];
      return json(response, { apiVersion: 'demo/v1', kind: 'ThingList', metadata: { resourceVersion: String(asked) }, items });
    }
    response.writeHead(200).flushHeaders();
    for (const { type, version: at, thing } of log) if (at > asked) line(response, type, thing);
    streams.add(response);
    response.on('close', () => streams.delete(response));
  });
  const add = (type: string, thing: Thing) => {
    log.push({ type, version, thing });
    for (const stream of streams) line(stream, type, thing);
  };
  return {
    api,
    put(name, value, at) {
      const known = stateAt(version).get(name);
      version++;
      const metadata = {
        ...{
          name,
          namespace: 'n',
          uid: known?.metadata.uid ?? `uid-${name}-${version}`,
          resourceVersion: String(version),
          generation: version,
        },
        managedFields: [{ manager: 'robot', operation: 'Update', time: new Date(at).toISOString().replace(/\.\d+/, '') }],
      };
      add(known ? 'MODIFIED' : 'ADDED', { apiVersion: 'demo/v1', kind: 'Thing', metadata, spec: { value } });
      return version;
    },
    remove(name) {
      const known = stateAt(version).get(name) as Thing;
      version++;
      add('DELETED', { ...known, metadata: { ...known.metadata, resourceVersion: String(version) } });
    },
    compact() {
      compacted = version;
    },
    breakOff() {
      for (const stream of streams) stream.destroy();
    },
    serve(served) {
      isServed = served;
      if (!served) for (const stream of streams) stream.destroy();
    },
  };
}
