import { listAll, type MetadataOnly, newestVersion } from './list.ts';
import { type Open, StatusError } from './open.ts';
import { identityOf, keyOf, type Resume } from './watch-position.ts';

/**
 * The objects as they were at a checkpoint, and the newest resourceVersion since; or why the server cannot say. Throws StatusError and what
 * the network says for everything that may pass.
 */
export async function stateAt(
  { resourceVersion, objects }: Resume,
  open: Open,
  path: string,
  signal: AbortSignal,
  metadataOnly?: MetadataOnly,
): Promise<{ items: unknown[]; until: string } | { because: string }> {
  try {
    const { items } = await listAll(open, path, signal, metadataOnly, resourceVersion);
    // The same number can be another history: a cluster made anew, or restored from a backup.
    if (!isSame(objects, items)) return { because: 'the checkpoint is of another history of this cluster' };
    return { items, until: await newestVersion(open, path, signal, metadataOnly) };
  } catch (error) {
    if (error instanceof StatusError && isForgotten(error)) return { because: 'the server no longer knows the state of the checkpoint' };
    throw error;
  }
}

const versionsOf = (objects: unknown[]): string[] =>
  objects.map((object) => `${keyOf(object)} ${identityOf(object).metadata.uid} ${identityOf(object).metadata.resourceVersion}`);

function isSame(before: unknown[], now: unknown[]): boolean {
  const known = new Set(versionsOf(before));
  return known.size === now.length && versionsOf(now).every((version) => known.has(version));
}

/** Compacted away (410), no resourceVersion here (400), or one that this server has not reached (504 and 500 that say so). */
const isForgotten = ({ status, message }: StatusError): boolean =>
  status === 410 || status === 400 || (status >= 500 && /too large resource version|future revision/i.test(message));
