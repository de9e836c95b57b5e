import type { Coverage } from '../../fact.ts';
import { ALL_AUDIT, EVERYTHING } from './counted.ts';
import { Gaps } from './gaps.ts';
import { SKEW } from './timeline.ts';

/** What was seen of each `group/resource`, since when, and what was not. Times in milliseconds. */
export class Sight {
  readonly #gaps = new Gaps();
  readonly #audited = new Set<string>();
  /** Since when each watch misses nothing but its gaps. */
  readonly watchedSince = new Map<string, number>();
  /** Whether any audit record was ever seen in this cluster, by this process or one before it. */
  hasAudit = false;

  /** `stream` may be ALL_AUDIT or EVERYTHING. */
  mark(stream: string, from: number, to: number): void {
    this.#gaps.mark(stream, from, to);
  }

  audited(stream: string): void {
    this.hasAudit = true;
    this.#audited.add(stream);
  }

  watched(stream: string, at: number): void {
    if (!this.watchedSince.has(stream)) this.watchedSince.set(stream, at);
  }

  /** The receiver's clock was set back to `now`: what is watched since a later time is watched since now. */
  rewind(now: number): void {
    for (const [stream, since] of this.watchedSince) this.watchedSince.set(stream, Math.min(since, now));
  }

  /** Whether a change at this moment would have been seen by the watch. */
  isWatched(stream: string, at: number): boolean {
    if (at < (this.watchedSince.get(stream) ?? Number.POSITIVE_INFINITY)) return false;
    return !this.#gaps.overlaps(stream, at - SKEW, at + SKEW) && !this.#gaps.overlaps(EVERYTHING, at - SKEW, at + SKEW);
  }

  /** Whether anything of the interval is missing, from watch or audit. */
  isBlind(stream: string, from: number, to: number): boolean {
    return [stream, EVERYTHING, ...(this.hasAudit ? [ALL_AUDIT] : [])].some((one) => this.#gaps.overlaps(one, from, to));
  }

  coverage(stream: string, gap: boolean, dropped: number): Coverage {
    const sources: Coverage['sources'] = [];
    if (this.watchedSince.has(stream)) sources.push('watch');
    if (this.#audited.has(stream)) sources.push('audit');
    return { sources, gap, dropped };
  }
}
