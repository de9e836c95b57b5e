import { dirname } from 'node:path';
import { type ParseLines, parseAuditLines, timesOf } from './audit-lines.ts';
import type { AuditSource, AuditSourceContext } from './audit-source.ts';
import { findFirst, findNext, findPlace, openListed } from './log-chain.ts';
import type { LogFile } from './log-file.ts';
import { advance, beginningOf, type LogPlace, logPlace, readFrom } from './log-place.ts';
import { backoff } from './wait.ts';

/** Which log is read, and how. */
export interface AuditFileOptions {
  /** What kube-apiserver's --audit-log-path says. Its folder is read too: rotated files are there. */
  path: string;
  /** Reads the lines; JSON.parse by default. */
  parse?: ParseLines;
  /** Milliseconds between two looks at a log that does not grow. Default 250. */
  pollEvery?: number;
  /** Bytes; a longer line is skipped and counted. Default 16 MiB. */
  maxLine?: number;
}

/** Bytes handed on at once, when lines are shorter. */
const BATCH = 1_048_576;

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
  /** The file is a copy of one that was truncated: what was written in between is in neither. */
  #copied = false;
  #lostSince: number | undefined;
  #told = '';

  constructor({ path, parse = parseAuditLines, pollEvery = 250, maxLine = 16 * 2 ** 20 }: AuditFileOptions, context: AuditSourceContext) {
    this.#context = context;
    this.#path = path;
    this.#parse = parse;
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
    this.#copied = kind === 'copy';
    if (place && kind !== 'lost') return true;
    this.#place = beginningOf(file.inode, place?.lastAt ?? this.#context.now());
    this.#endSkipping();
    if (place) {
      this.#lostSince ??= place.lastAt;
      this.#tell('what was read last is in none of its files: it was truncated, or rotated away before it was read to its end.');
    }
    return true;
  }

  /** Stays until the writer has gone on to another file, and everything it wrote into this one was read. */
  async #atEnd(file: LogFile, place: LogPlace, rest: number): Promise<boolean> {
    this.#reportGap(undefined);
    const found = await findNext(this.#path, file, place);
    if (!found || !this.#ending) {
      this.#ending = found !== undefined;
      return this.#ending;
    }
    const next = await openListed(found.next);
    if (!next) return true;
    if (rest > 0) this.#context.dropped(1, 'partial-line');
    this.#endSkipping();
    if (!found.sure || this.#copied || file.damaged()) {
      this.#lostSince ??= place.lastAt;
      this.#tell(
        this.#copied
          ? 'it is rotated by copying and truncating, which can lose lines: let kube-apiserver rotate it (--audit-log-maxsize).'
          : 'rotated files are deleted or damaged before they are read: raise --audit-log-maxbackup.',
      );
    }
    await this.#leave();
    this.#file = next;
    this.#place = beginningOf(next.inode, place.lastAt);
    return true;
  }

  async #handOn(lines: Buffer, place: LogPlace): Promise<void> {
    const { events, malformed } = this.#parse(lines);
    const { first, last = place.lastAt } = timesOf(lines);
    this.#reportGap(first);
    if (events.length > 0 && !(await this.#accepted(events))) return;
    if (malformed > 0) this.#context.dropped(malformed, 'malformed');
    this.#place = { ...place, lastAt: last };
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

  /** Nothing was seen between the last event before the loss and the first one after it, or now where there is none yet. */
  #reportGap(first: number | undefined): void {
    const from = this.#lostSince;
    if (from === undefined) return;
    this.#lostSince = undefined;
    this.#context.gap(from, Math.max(from, first ?? this.#context.now()));
  }

  #endSkipping(): void {
    if (this.#skipping) this.#context.dropped(1, 'long-line');
    this.#skipping = false;
  }

  async #save(): Promise<void> {
    if (this.#place === this.#saved || !this.#place || this.#skipping || this.#place.offset === 0) return;
    try {
      await this.#context.checkpoint.write(this.#place);
      this.#saved = this.#place;
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
