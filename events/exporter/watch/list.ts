import { asRecord } from '../as-record.ts';
import { getJson, type Open } from './open.ts';

const PAGE = 500;
/** Accept header for a list without bodies: Secrets are never read whole. */
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** How objects are named when the server sends their metadata only. */
export interface MetadataOnly {
  apiVersion: string;
  kind: string;
}

/**
 * Lists everything at `path`, page by page: the newest state, never an old one from a cache; or, with `exactly`, the state at that
 * resourceVersion, which the server answers with 410 when it was compacted away. Throws StatusError.
 */
export async function listAll(
  open: Open,
  path: string,
  signal: AbortSignal,
  metadataOnly?: MetadataOnly,
  exactly?: string,
): Promise<{ resourceVersion: string; items: unknown[] }> {
  const items: unknown[] = [];
  // A continue token names its resourceVersion itself; naming one beside it is an error.
  const first = exactly === undefined ? '' : `&resourceVersion=${encodeURIComponent(exactly)}&resourceVersionMatch=Exact`;
  let next = '';
  for (;;) {
    const query = `${path}?limit=${PAGE}${next ? `&continue=${encodeURIComponent(next)}` : first}`;
    const page = asRecord(await getJson(open, query, signal, metadataOnly && METADATA_LIST));
    if (metadataOnly && page.kind !== 'PartialObjectMetadataList') {
      throw new Error(`GET ${path} answered whole objects although only metadata was asked for: let the transport send the Accept header.`);
    }
    const { resourceVersion, continue: token } = asRecord(page.metadata);
    for (const item of Array.isArray(page.items) ? page.items : []) items.push(named(item, page, metadataOnly));
    if (typeof token === 'string' && token !== '') next = token;
    else return { resourceVersion: String(resourceVersion ?? ''), items };
  }
}

/** The newest resourceVersion at `path`, from a list of one. Throws StatusError. */
export async function newestVersion(open: Open, path: string, signal: AbortSignal, metadataOnly?: MetadataOnly): Promise<string> {
  const page = asRecord(await getJson(open, `${path}?limit=1`, signal, metadataOnly && METADATA_LIST));
  return String(asRecord(page.metadata).resourceVersion ?? '');
}

/** Items of built-in lists carry no apiVersion and kind, and metadata-only objects carry `meta.k8s.io/v1`. */
function named(item: unknown, list: Record<string, unknown>, metadataOnly: MetadataOnly | undefined): unknown {
  const object = asRecord(item);
  if (metadataOnly) return { ...object, ...metadataOnly };
  return { apiVersion: list.apiVersion, kind: String(list.kind).replace(/List$/, ''), ...object };
}
