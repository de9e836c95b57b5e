import { describe, expect, it } from '@jest/globals';
import { auditSelector } from './audit-selector.ts';
import { type BatchReader, readBatch } from './read-batch.ts';

const event = (i: number, more = '') =>
  `{"level":"Request","auditID":"${String(i).padStart(36, '0')}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/configmaps/b","verb":"update","user":{"username":"u"},"objectRef":{"resource":"configmaps","apiVersion":"v1","name":"b"}${more},"stageTimestamp":"2026-11-21T00:00:00.5Z"}`;
const listOf = (items: string) => Buffer.from(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${items}]}\n`);
const many = (count: number, more = '') => listOf(Array.from({ length: count }, (_, i) => event(i, more)).join());
const NOW = Date.UTC(2026, 10, 21);

/** Reads a batch; what was accepted, in calls, and what was dropped. */
async function read(body: Buffer, more: Partial<BatchReader> = {}) {
  const calls: { auditID: string; stageTimestamp: string }[][] = [];
  const dropped: string[] = [];
  const refusal = await readBatch(body, {
    accept: async (events) => void calls.push(events as never),
    dropped: (count, reason) => void dropped.push(`${count} × ${reason}`),
    now: () => NOW,
    ...more,
  });
  return { calls, events: calls.flat(), dropped, refusal };
}

describe('a batch of audit events', () => {
  const selector = auditSelector([{ group: '', resource: 'configmaps' }]);

  it.each<[string, BatchReader['select']]>([
    ['parsed whole', undefined],
    ['selected from', (body) => selector.list(body)?.events],
  ])('gives every event once and in order, in slices, when it is %s', async (_, select) => {
    const { calls, events, refusal } = await read(many(5_000), { select });
    expect(refusal).toBeUndefined();
    expect(events.map(({ auditID }) => Number(auditID))).toEqual(Array.from({ length: 5_000 }, (_one, i) => i));
    expect(calls.length).toBeGreaterThan(2);
  });

  it('of the usual size is kept at once', async () => {
    expect((await read(many(400, `,"requestObject":{"data":"${'x'.repeat(2_000)}"}`))).calls).toHaveLength(1);
  });

  it('is refused when its items are too small to be audit events, before they are parsed', async () => {
    const select = () => {
      throw new Error('it was parsed');
    };
    const bomb = listOf(`${'{},'.repeat(10_000_000)}{}`);
    expect((await read(bomb, { select })).refusal).toMatchObject({ status: 400 });
    const unusual = Buffer.from(`{"items":[${'{},'.repeat(300_000)}{}],"kind":"EventList","apiVersion":"audit.k8s.io/v1"}`);
    expect((await read(unusual)).refusal).toMatchObject({ status: 400 });
  });

  it('that kube-apiserver did not write is parsed up to 1 MiB only', async () => {
    const text = (pad: number) =>
      Buffer.from(`{ "kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [{ "pad": "${'x'.repeat(pad)}" }] }`);
    expect((await read(text(1_000_000))).events).toHaveLength(1);
    expect((await read(text(2_000_000))).refusal).toMatchObject({ status: 413 });
    expect((await read(Buffer.from(`${'['.repeat(5_000_000)}`))).refusal).toMatchObject({ status: 413 });
  });

  it.each([
    ['deeply nested', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['large', `{"a":[${'{},'.repeat(1_000_000)}{}]}`],
  ])('keeps what a %s request body is about without parsing it, and every other event', async (_, requestObject) => {
    const items = [event(1), event(2, `,"requestObject":${requestObject}`), event(3)];
    const { events, dropped } = await read(listOf(items.join()));
    expect(events.map(({ auditID }) => Number(auditID))).toEqual([1, 2, 3]);
    expect(events[1]).not.toHaveProperty('requestObject');
    expect(events[1]?.stageTimestamp).toBe(new Date(NOW).toISOString());
    expect(dropped).toEqual([]);
  });

  it('counts an oversized event that says nothing about its object', async () => {
    const items = [event(1), `{"a":"${'x'.repeat(2_000_000)}"}`, event(3)];
    const { events, dropped } = await read(listOf(items.join()));
    expect(events.map(({ auditID }) => Number(auditID))).toEqual([1, 3]);
    expect(dropped).toEqual(['1 × oversized']);
  });

  it('lets a small batch that comes later be done first, and timers go on', async () => {
    const done: string[] = [];
    let turns = 0;
    const clock = setInterval(() => turns++, 0);
    const large = read(many(30_000, `,"requestObject":{"data":"${'x'.repeat(700)}"}`)).then(() => done.push('large'));
    const small = read(many(3)).then(() => done.push('small'));
    await Promise.all([large, small]);
    clearInterval(clock);
    expect(done).toEqual(['small', 'large']);
    expect(turns).toBeGreaterThan(20);
  });

  it('rejects when its events are not kept, so that all of them come again', async () => {
    await expect(read(many(3), { accept: () => Promise.reject(new Error('disk full')) })).rejects.toThrow('disk full');
  });
});
