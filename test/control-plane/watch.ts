import type { Transport } from '../../shared/kubernetes/transport.ts';
import type { Doc } from './admin.ts';

/** One line of a watch; with type ERROR the object is a Status. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: Doc;
}

/** Yields the events of `path` (with `watch=1`) until the server ends the watch. Throws when `signal` ends it, or no 200 comes. */
export async function* watchEvents(transport: Transport, path: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  const { status, body } = await transport.open(path, signal);
  if (status !== 200) throw new Error(`The watch ${path} was answered ${status}.`);
  // Not node:readline: it lets an abort that comes after the last read become an unhandled error.
  let rest = '';
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as WatchEvent;
  }
}
