import { dirname } from 'node:path';
import { backoff } from '../wait.ts';
import { type ParseLines, parseAuditLines, timesOf } from './audit-lines.ts';
import type { AuditSource, AuditSourceContext } from './audit-source.ts';
import { findFirst, findNext, findPlace, openListed } from './log-chain.ts';
import type { LogFile } from './log-file.ts';
import { advance, beginningOf, type LogPlace, logPlace, readFrom } from './log-place.ts';

/** Which log is read, and how. */
export interface AuditFileOptions {
  /** What kube-apiserver's --audit-log-path says. Its folder is read too: rotated files are there. */
  path: string;
  /** Reads the lines; what the context gives by default, or else JSON.parse. */
  parse?: ParseLines;
  /** Milliseconds between two looks at a log that does not grow. Default 250. */
  pollEvery?: number;
  /** Bytes; a longer line is skipped and counted. Default 16 MiB. */
  maxLine?: number;
}

/** Bytes handed on at once, when lines are shorter. */
const BATCH = 1_048_576;
/** Milliseconds without a change after which a copy is complete. */
const SETTLED = 300;

/** Reads kube-apiserver's audit log through every rotation; the first start reads the present file from its beginning. */
export function auditFile(options: AuditFileOptions): AuditSource {
  return { name: 'audit-file', run: (context) => new AuditFile(options, context).run() };
}

class AuditFile {
  readonly #context: AuditSourceContext;
  readonly #path: string;
  readonly #parse: ParseLines;
  readonly #pollEvery: number;
  readonly #maxLine: number;
  #place: LogPlace | undefined;
  #saved: LogPlace | undefined;
  #file: LogFile | undefined;
  /** What the file was like when nothing but an unfinished line was left of it. */
  #exhausted: { stamp: string; rest: number } | undefined;
  /** The writer has gone on to the next file: what is read now is the rest. */
  #ending = false;
  /** Within a line that is too long. */
  #skipping = false;
  #told = '';

  constructor({ path, parse, pollEvery = 250, maxLine = 16 * 2 ** 20 }: AuditFileOptions, context: AuditSourceContext) {
    this.#context = context;
    this.#path = path;
    this.#parse = parse ?? context.parse ?? parseAuditLines;
    this.#pollEvery = pollEvery;
    this.#maxLine = maxLine;
  }

  async run(): Promise<void> {
    const { checkpoint, signal, random, wait } = this.#context;
    const saved = checkpoint.read();
    const { data } = logPlace.safeParse(saved);
    this.#place = data;
    this.#saved = data;
    if (!data && saved !== undefined) this.#tell('its checkpoint is unreadable, so it is read from its beginning again.');
    let failures = 0;
    while (!signal.aborted) {
      try {
        const more = await this.#step();
        failures = 0;
        if (more) continue;
        await this.#save();
        await wait(this.#pollEvery, signal);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        this.#tell(
          `${message}${code === 'EACCES' ? '. Run the exporter as a user who may read it: on most control planes that is root' : ''}.`,
        );
        await this.#leave();
        await wait(backoff(++failures, random), signal);
      }
    }
    await this.#leave();
  }

  /** Reads once. False when there is nothing to do but wait. */
  async #step(): Promise<boolean> {
    const [file, place] = [this.#file, this.#place];
    if (!file || !place) return this.#enter();
    const { text: stamp } = await file.stamp();
    if (stamp === this.#exhausted?.stamp) return this.#atEnd(file, place, this.#exhausted.rest);
    for (let length = BATCH; ; length = Math.min(length * 4, this.#maxLine)) {
      const read = await readFrom(file, place, length);
      if (!read) {
        await this.#leave();
        return true;
      }
      const { fresh } = read;
      if (this.#skipping && fresh.length > 0) {
        const end = fresh.indexOf(10) + 1;
        this.#place = advance(place, read, end || fresh.length);
        if (end > 0) this.#endSkipping();
        return true;
      }
      const end = fresh.lastIndexOf(10) + 1;
      if (end > 0) {
        await this.#handOn(fresh.subarray(0, end), advance(place, read, end));
        return true;
      }
      if (fresh.length < length) {
        this.#exhausted = { stamp, rest: fresh.length };
        return this.#atEnd(file, place, fresh.length);
      }
      if (length >= this.#maxLine) {
        this.#skipping = true;
        return true;
      }
    }
  }

  async #enter(): Promise<boolean> {
    const place = this.#place;
    const found = place ? await findPlace(this.#path, place) : await findFirst(this.#path);
    if (!found) {
      const folder = dirname(this.#path);
      this.#tell(
        `it is not there. Start kube-apiserver with --audit-log-path and an --audit-policy-file, and mount the folder ${folder} of its node, not the file alone: a mounted file stays the old one after a rotation.`,
      );
      return false;
    }
    const { file, kind } = found;
    this.#file = file;
    if (place && kind !== 'lost') {
      if (kind === 'copy' || place.inode !== file.inode) this.#place = { ...place, inode: file.inode, copied: kind === 'copy' };
      return true;
    }
    this.#endSkipping();
    if (place) {
      this.#place = beginningOf(file.inode, { lastAt: place.lastAt, lostSince: place.lostSince ?? place.lastAt, copied: false });
      this.#tell('what was read last is in none of its files: it was truncated, or rotated away before it was read to its end.');
    } else {
      this.#place = beginningOf(file.inode, { lastAt: this.#context.now(), copied: false });
      // From here on everything is promised: a rotation before the first events are kept must not hide this file.
      await this.#save(this.#place);
    }
    return true;
  }

  /** Stays until the writer has gone on to another file, and everything it wrote into this one was read. */
  async #atEnd(file: LogFile, place: LogPlace, rest: number): Promise<boolean> {
    const found = await findNext(this.#path, file, place);
    if (!found) this.#place = this.#withoutGap(place);
    if (!found || !this.#ending) {
      this.#ending = found !== undefined;
      return this.#ending;
    }
    // A copy may still be growing.
    if (place.copied && this.#context.now() - (await file.stamp()).changedAt < SETTLED) return false;
    const next = await openListed(found.next);
    if (!next) return true;
    if (rest > 0) this.#context.dropped(1, 'partial-line');
    this.#endSkipping();
    const lossy = !found.sure || place.copied || file.damaged();
    if (lossy)
      this.#tell(
        place.copied
          ? 'it is rotated by copying and truncating, which can lose lines: let kube-apiserver rotate it (--audit-log-maxsize).'
          : 'rotated files are deleted or damaged before they are read: raise --audit-log-maxbackup.',
      );
    await this.#leave();
    this.#file = next;
    this.#place = beginningOf(next.inode, {
      lastAt: place.lastAt,
      lostSince: place.lostSince ?? (lossy ? place.lastAt : undefined),
      copied: place.copied && found.next.until < Number.POSITIVE_INFINITY,
    });
    return true;
  }

  async #handOn(lines: Buffer, place: LogPlace): Promise<void> {
    const { events, malformed } = this.#parse(lines);
    const { first, last = place.lastAt } = timesOf(lines);
    const lastAt = Math.min(last, this.#context.now());
    const next = this.#withoutGap({ ...place, lastAt }, first);
    if (events.length > 0 && !(await this.#accepted(events))) return;
    if (malformed > 0) this.#context.dropped(malformed, 'malformed');
    this.#place = next;
    this.#told = '';
    await this.#save();
  }

  /** Hands on the same events until they are kept. False when it is time to stop. */
  async #accepted(events: unknown[]): Promise<boolean> {
    const { accept, signal, random, wait } = this.#context;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await accept(events);
        return true;
      } catch (error) {
        this.#tell(`${events.length} events were not kept, and are handed on again: ${error instanceof Error ? error.message : error}`);
        await wait(backoff(failures, random), signal);
      }
    }
    return false;
  }

  /** Reports what was lost once its end is known: the first event after it, or now when nothing came yet. */
  #withoutGap(place: LogPlace, first?: number): LogPlace {
    const { lostSince, ...rest } = place;
    const last = first === undefined ? this.#context.now() : place.lastAt;
    // Files from before the loss may have to be read again first.
    if (lostSince === undefined || last <= lostSince) return place;
    this.#context.gap(lostSince, first !== undefined && first > lostSince ? first : last);
    return rest;
  }

  #endSkipping(): void {
    if (this.#skipping) this.#context.dropped(1, 'long-line');
    this.#skipping = false;
  }

  /** The beginning of a later file is not saved: the end of the one before proves more, because inode numbers come back. */
  async #save(place = this.#skipping || !this.#place?.offset ? undefined : this.#place): Promise<void> {
    if (place === this.#saved || !place) return;
    try {
      await this.#context.checkpoint.write(place);
      this.#saved = place;
    } catch (error) {
      this.#tell(`its checkpoint was not written, so a restart would repeat events: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#exhausted = undefined;
    this.#ending = false;
    await file?.close();
  }

  /** Says the same thing once, until events flow again. */
  #tell(message: string): void {
    if (message === this.#told) return;
    this.#told = message;
    this.#context.onProblem(`Audit log ${this.#path}: ${message}`);
  }
}
