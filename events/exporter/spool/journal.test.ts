import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { folder, idsOf, toSend } from '../testdata/spooling.ts';
import { WatchCheckpoint } from '../watch/watch-checkpoint.ts';
import { CheckpointFile } from './checkpoint-file.ts';
import { Journal } from './journal.ts';
import { MemorySpool } from './memory-spool.ts';
import type { SpoolEntry } from './spool.ts';

/** A journal on a spool that fails while `state.error` is set. */
function start() {
  const state: { error?: Error | undefined; appends: number; woken: number } = { appends: 0, woken: 0 };
  class Failing extends MemorySpool {
    override async append(entries: SpoolEntry[]): Promise<void> {
      state.appends++;
      await null;
      if (state.error) throw state.error;
      return super.append(entries);
    }
  }
  const spool = new Failing();
  return { state, spool, journal: new Journal(spool, () => void state.woken++) };
}

describe('Journal', () => {
  it('shares one append among those who write at the same time', async () => {
    const { state, spool, journal } = start();
    await Promise.all(Array.from({ length: 50 }, (_, i) => journal.write(toSend(String(i)))));
    expect(state.appends).toBeLessThan(5);
    expect(await idsOf(spool)).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(state.woken).toBeGreaterThan(0);
  });

  it('keeps what the spool refused, in order, says that it is blocked, and tells nobody that it is durable before it is', async () => {
    const { state, spool, journal } = start();
    state.error = new Error('ENOSPC');
    await expect(journal.write(toSend('1'))).rejects.toThrow('ENOSPC');
    expect(journal.isBlocked).toBe(true);
    expect(journal.refusal()).toBe(state.error);
    await expect(journal.durable()).rejects.toThrow('ENOSPC');
    await journal.retry();
    expect(journal.held).toBe(1);
    state.error = undefined;
    await journal.write(toSend('2'));
    expect(journal.isBlocked).toBe(false);
    expect(await idsOf(spool)).toEqual(['1', '2']);
  });
});

describe('WatchCheckpoint', () => {
  it('is written only when everything up to it is durable', async () => {
    const path = join(folder(), 'watch.json');
    const open = () => new WatchCheckpoint(new CheckpointFile(path, () => {}));
    const { state, journal } = start();
    const checkpoint = open();
    const thing = { apiVersion: 'demo/v1', kind: 'Thing', metadata: { name: 'a', uid: 'u', resourceVersion: '7' } };
    checkpoint.position = { resourceVersion: '7', aliveAt: 5, known: new Map([['/a', thing]]) };
    state.error = new Error('ENOSPC');
    void journal.write(toSend('1')).catch(() => {});
    await expect(checkpoint.save(() => journal.durable(), 3)).rejects.toThrow('ENOSPC');
    expect(open().read()).toEqual({});
    state.error = undefined;
    await checkpoint.save(() => journal.durable(), 3);
    expect(open().read()).toEqual({ resume: { resourceVersion: '7', at: 5, objects: [thing] }, watchedSince: 3 });
  });
});
