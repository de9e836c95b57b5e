import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import type { WatchEvent } from '../../events/exporter/watch/watch-event.ts';
import type { ReadLine } from './read-line.ts';

/** A recorded incident could not be read: the message names file and line. */
export class BundleError extends Error {
  override name = 'BundleError';
}

/** One recorded event with its time in the recording's clock, milliseconds since the epoch. */
export type Recorded = { at: number } & (
  | { kind: 'audit'; event: unknown }
  | { kind: 'watch'; event: WatchEvent }
  | { kind: 'read'; read: ReadLine }
);

const watchLine = z.looseObject({
  receivedAt: z.iso.datetime({ offset: true }),
  resource: z.string().min(1),
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']),
  object: z.record(z.string(), z.unknown()),
  fromList: z.boolean().optional(),
});
const reference = z.looseObject({ group: z.string(), version: z.string(), resource: z.string(), namespace: z.string().optional() });
const object = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
const readLine = z.union([
  z.looseObject({ at: z.iso.datetime(), get: reference.extend({ name: z.string() }), object: object.nullable() }),
  z.looseObject({ at: z.iso.datetime(), list: reference, objects: z.array(object) }),
  z.looseObject({
    at: z.iso.datetime(),
    znode: z.looseObject({ path: z.string() }),
    value: z.looseObject({ data: z.string() }).nullable(),
  }),
]);
const auditLine = z.looseObject({ stageTimestamp: z.iso.datetime({ offset: true }) });

/** Reads `audit.ndjson[.gz]`, `watch.ndjson[.gz]` and, of a capture, `reads.ndjson[.gz]` (DESIGN §11), in the order of their clock. Throws BundleError. */
export function readBundle(directory: string): Recorded[] {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) throw new BundleError(`${directory} is no folder`);
  const audit = readLines(directory, 'audit', (line) => {
    const event = auditLine.parse(line);
    return { at: Date.parse(event.stageTimestamp), kind: 'audit' as const, event: line };
  });
  const watch = readLines(directory, 'watch', (line) => {
    const { receivedAt, resource, type, object, fromList } = watchLine.parse(line);
    const event: WatchEvent = { receivedAt, resource, type, object, ...(fromList && { fromList }) };
    return { at: Date.parse(receivedAt), kind: 'watch' as const, event };
  });
  const reads = readLines(directory, 'reads', (line) => ({
    at: Date.parse(readLine.parse(line).at),
    kind: 'read' as const,
    read: line as ReadLine,
  }));
  if (!audit && !watch) throw new BundleError(`${directory} holds neither audit.ndjson nor watch.ndjson (nor their .gz): is it a bundle?`);
  // Stable: at the same millisecond the request was audited before its watch event was received.
  return [...(reads ?? []), ...(audit ?? []), ...(watch ?? [])].sort((a, b) => a.at - b.at);
}

function readLines<T>(directory: string, name: string, read: (line: unknown) => T): T[] | undefined {
  const plain = join(directory, `${name}.ndjson`);
  const path = existsSync(plain) ? plain : `${plain}.gz`;
  if (!existsSync(path)) return undefined;
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw new BundleError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [read(JSON.parse(line))];
    } catch (error) {
      const because = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
      throw new BundleError(`${path}, line ${index + 1}: ${because}`);
    }
  });
}
