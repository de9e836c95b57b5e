import { backoff, type Wait } from '../wait.ts';
import { resolve } from './discovery.ts';
import type { Open } from './open.ts';
import { watchResource } from './watch.ts';
import type { Remembered, WatchCheckpoint } from './watch-checkpoint.ts';
import type { WatchEvent } from './watch-event.ts';

/** What the watch on a resource is doing. */
export type Following = 'starting' | 'watching' | 'blind' | 'absent' | 'failed';

/** How to follow one resource. Times in milliseconds. */
export interface FollowOptions {
  open: Open;
  group: string;
  resource: string;
  checkpoint: WatchCheckpoint;
  remembered: Remembered;
  /** Since when nobody watched, when the checkpoint is of no use. */
  blindSince?: number | undefined;
  signal: AbortSignal;
  handle(event: WatchEvent): Promise<void>;
  onGap(fromMs: number, toMs: number): void;
  onSight(sight: Following): void;
  onRelist(): void;
  onBroken(): void;
  onProblem(message: string): void;
  now(): number;
  random(): number;
  wait: Wait;
}

/** A resource that is not served may be installed at any time. */
const LOOK_AGAIN = 10_000;

/** Watches one resource until the signal aborts, also while it comes and goes. */
export async function follow(options: FollowOptions): Promise<void> {
  const { open, group, resource, checkpoint, signal, onSight, onProblem, now, random, wait } = options;
  let { absentSince, resume } = options.remembered;
  let { blindSince } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const served = await resolve(open, group, resource, signal);
      failures = 0;
      if (!served) {
        if (resume) await tellGone(options, resume.told ?? resume.objects, resume.at);
        resume = undefined;
        absentSince = now();
        checkpoint.absentSince = absentSince;
        onSight('absent');
        await wait(LOOK_AGAIN, signal);
        continue;
      }
      if (absentSince !== undefined) onSight('starting');
      checkpoint.position = { known: new Map() };
      checkpoint.absentSince = undefined;
      await watchResource({
        ...{ open, path: served.path, resource, signal, wait, now, random, onProblem },
        position: checkpoint.position,
        handle: options.handle,
        onGap: options.onGap,
        onRelist: options.onRelist,
        onBroken: options.onBroken,
        onSight: (seeing) => onSight(seeing ? 'watching' : 'blind'),
        ...(group === '' && resource === 'secrets' && { metadataOnly: { apiVersion: 'v1', kind: served.kind } }),
        ...(absentSince !== undefined && { absentSince }),
        ...(resume && { resume }),
        ...(blindSince !== undefined && absentSince === undefined && { blindSince }),
      }).catch((error: unknown) => {
        throw new FailedHandler('', { cause: error });
      });
      if (signal.aborted) return;
      resume = undefined;
      blindSince = undefined;
      absentSince = now();
      checkpoint.absentSince = absentSince;
    } catch (error) {
      if (error instanceof FailedHandler) {
        // A handler that throws is a defect in the reducer: counting on would be wrong, and the exporter is not ready until a restart.
        onSight('failed');
        const { message, cause } = error.cause as Error;
        return onProblem(`${message} ${(cause as Error | undefined)?.stack ?? ''}`);
      }
      if (signal.aborted) return;
      onSight('blind');
      onProblem(`Looking for ${group}/${resource}: ${error instanceof Error ? error.message : error}`);
      await wait(backoff(++failures, random), signal);
    }
  }
}

class FailedHandler extends Error {}

/** The resource went away, with everything in it, while nobody watched. */
async function tellGone({ handle, onGap, resource, now }: FollowOptions, objects: unknown[], since: number): Promise<void> {
  const receivedAt = new Date(now()).toISOString();
  onGap(since, now());
  for (const object of objects) {
    await handle({ receivedAt, resource, type: 'ADDED', object, fromList: true, headOnly: true });
    await handle({ receivedAt, resource, type: 'DELETED', object, fromList: true, gap: true });
  }
}
