import type { Doc } from '../../control-plane/admin.ts';
import type { Round } from './controller.ts';

interface Entry {
  name: string;
  type: string;
  inQueue?: boolean;
}
const QUEUE = 'kubeblocks.io/ops-request';

const queueOf = (cluster: Doc): Entry[] => JSON.parse(cluster.metadata.annotations?.[QUEUE] ?? '[]') as Entry[];

/** Takes the Cluster for the operation, or queues it. True: it is its turn. */
export async function enqueue(round: Round, cluster: Doc, name: string): Promise<boolean> {
  const queue = queueOf(cluster);
  const own = queue.find((entry) => entry.name === name);
  const busy = queue.some((entry) => entry.name !== name && !entry.inQueue);
  // The first in the queue goes first.
  const first = queue.find((entry) => entry.inQueue)?.name === name;
  if (own && !own.inQueue) return true;
  if (own && (busy || !first)) return false;
  const entry: Entry = { name, type: 'HorizontalScaling', ...(busy && { inQueue: true }) };
  await write(round, cluster, own ? queue.map((other) => (other.name === name ? entry : other)) : [...queue, entry]);
  return false;
}

/** Lets the Cluster go. A head that failed takes all that wait with it: the controller cancels them. */
export async function dequeue(round: Round, { metadata }: Doc, name: string, failed: boolean): Promise<void> {
  const { api, paths } = round;
  const cluster = await api.get(`${paths.clusters}/${metadata.name}`);
  const queue = queueOf(cluster);
  const cancels = failed && queue[0]?.name === name ? queue.filter(({ inQueue }) => inQueue) : [];
  for (const { name: other } of cancels) {
    const conditions = [{ type: 'Cancelled', status: 'True', reason: 'CancelByController' }];
    await api.patch(`${paths.ops}/${other}/status`, 'merge', { status: { phase: 'Cancelled', conditions } });
  }
  const gone = new Set([name, ...cancels.map((entry) => entry.name)]);
  await write(
    round,
    cluster,
    queue.filter((entry) => !gone.has(entry.name)),
  );
}

async function write({ api, paths }: Round, cluster: Doc, queue: Entry[]): Promise<void> {
  const { [QUEUE]: _, ...rest } = cluster.metadata.annotations ?? {};
  const annotations = queue.length > 0 ? { ...rest, [QUEUE]: JSON.stringify(queue) } : rest;
  await api.replace(`${paths.clusters}/${cluster.metadata.name}`, { ...cluster, metadata: { ...cluster.metadata, annotations } });
}
