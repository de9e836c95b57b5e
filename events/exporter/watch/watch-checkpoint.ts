import * as z from 'zod';
import type { CheckpointFile } from '../spool/checkpoint-file.ts';
import type { Resume, WatchPosition } from './watch-position.ts';

const head = z.tuple([z.string().nullable(), z.string(), z.string().nullable(), z.string().nullable(), z.number().nullable()]);
const saved = z.union([
  z.object({ absentSince: z.number() }),
  z.object({
    resourceVersion: z.string(),
    at: z.number(),
    watchedSince: z.number().optional(),
    apiVersion: z.string(),
    kind: z.string(),
    /** namespace, name, uid, resourceVersion, generation */
    heads: z.array(head),
  }),
]);

/** What the process before this one knew of a resource. Times in milliseconds. */
export interface Remembered {
  resume?: Resume;
  absentSince?: number;
  watchedSince?: number | undefined;
}

/** Where the watch of one resource stands, in memory and in its file. */
export class WatchCheckpoint {
  readonly #file: CheckpointFile | undefined;
  #written = '';
  position: WatchPosition = { known: new Map() };
  /** Since when the resource is not served. */
  absentSince: number | undefined;

  constructor(file?: CheckpointFile) {
    this.#file = file;
  }

  /** There was a file, and it could not be used. */
  get isDamaged(): boolean {
    return this.#file?.isDamaged ?? false;
  }

  read(): Remembered {
    const value = this.#file?.read();
    const parsed = saved.safeParse(value);
    if (!parsed.success) {
      if (this.#file && value !== undefined) this.#file.isDamaged = true;
      return {};
    }
    if ('absentSince' in parsed.data) return { absentSince: parsed.data.absentSince };
    const { resourceVersion, at, watchedSince, apiVersion, kind, heads } = parsed.data;
    const objects = heads.map(([namespace, name, uid, version, generation]) => ({
      apiVersion,
      kind,
      metadata: {
        ...(namespace !== null && { namespace }),
        ...{ name, uid, resourceVersion: version },
        ...(generation !== null && { generation }),
      },
    }));
    return { resume: { resourceVersion, at, objects }, watchedSince };
  }

  /** Writes where the watch stands now, once everything up to there is durable. */
  async save(durable: () => Promise<void>, watchedSince: number | undefined): Promise<void> {
    const { resourceVersion, aliveAt: at, known } = this.position;
    if (!this.#file || (this.absentSince === undefined && resourceVersion === undefined)) return;
    const mark = this.absentSince === undefined ? `version ${resourceVersion}` : `absent ${this.absentSince}`;
    if (mark === this.#written) return;
    const value =
      this.absentSince === undefined ? { resourceVersion, at, watchedSince, ...headsOf(known) } : { absentSince: this.absentSince };
    await durable();
    await this.#file.write(value);
    this.#written = mark;
  }
}

function headsOf(known: WatchPosition['known']) {
  const objects = [...known.values()];
  const heads = objects.map(({ metadata }) =>
    [metadata.namespace, metadata.name, metadata.uid, metadata.resourceVersion, metadata.generation].map((value) => value ?? null),
  );
  return { apiVersion: String(objects[0]?.apiVersion ?? ''), kind: String(objects[0]?.kind ?? ''), heads };
}
