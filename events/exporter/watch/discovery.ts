import { apiPath } from '../../api-path.ts';
import { asRecord } from '../as-record.ts';
import { getJson, type Open, StatusError } from './open.ts';

/** Where the API server serves a resource. */
export interface Served {
  /** `/apis/apps/v1/deployments`: all namespaces. */
  path: string;
  version: string;
  namespaced: boolean;
  kind: string;
}

/** Finds a resource in its group's preferred version, else in another. Undefined while it is not there: its CRD may come later. Throws StatusError. */
export async function resolve(open: Open, group: string, resource: string, signal: AbortSignal): Promise<Served | undefined> {
  const versions = group === '' ? ['v1'] : await versionsOf(open, group, signal);
  for (const version of versions) {
    const base = apiPath({ group, version });
    const { resources } = asRecord(await orAbsent(getJson(open, base, signal)));
    const found = (Array.isArray(resources) ? resources : []).map(asRecord).find(({ name }) => name === resource);
    if (found)
      return { path: apiPath({ group, version, resource }), version, namespaced: found.namespaced === true, kind: String(found.kind) };
  }
  return undefined;
}

async function versionsOf(open: Open, group: string, signal: AbortSignal): Promise<string[]> {
  const { versions, preferredVersion } = asRecord(await orAbsent(getJson(open, apiPath({ group }), signal)));
  const all = [preferredVersion, ...(Array.isArray(versions) ? versions : [])].map((one) => asRecord(one).version);
  return [...new Set(all.filter((version) => typeof version === 'string'))];
}

const orAbsent = (answer: Promise<unknown>): Promise<unknown> =>
  answer.catch((error: unknown) => {
    if (error instanceof StatusError && error.status === 404) return undefined;
    throw error;
  });
