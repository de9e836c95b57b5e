import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import type { Envelope } from '../fact.ts';
import type { AuditSource, AuditSourceContext } from './audit/audit-source.ts';
import type { Refuse } from './sink/sink.ts';
import { SpoolFullError } from './spool/spool.ts';
import { auditEvent, historyServer, live } from './testdata/exporting.ts';
import { until } from './testdata/manual-clock.ts';
import { T0 } from './testdata/records.ts';
import { folder } from './testdata/spooling.ts';

/** A webhook listener, and a function that posts a batch to it. */
async function listener() {
  const pem = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  const post = (port: number | undefined, items: unknown[]) =>
    new Promise<{ status: number | undefined; retryAfter: string | undefined }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, method: 'POST', rejectUnauthorized: false, agent: false as const };
      request(options, (answer) => resolve({ status: answer.resume().statusCode, retryAfter: answer.headers['retry-after'] }))
        .on('error', reject)
        .end(JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items }));
    });
  return { post, auditWebhook: { host: '127.0.0.1', port: 0, cert: pem.cert, key: pem.private } };
}

/** Lets seconds pass until it is so. */
async function pass({ clock }: Awaited<ReturnType<typeof live>>, condition: () => boolean): Promise<void> {
  for (let second = 0; second < 200 && !condition(); second++) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await until(condition);
}

describe('an exporter whose bus is away', () => {
  it('takes audit until its spool is full, then answers 429, and loses nothing of it', async () => {
    const [api, { post, auditWebhook }] = [await historyServer(), await listener()];
    let away = true;
    const sent: string[] = [];
    const put = async (events: Envelope[]) => {
      if (away) throw new Error('the bus is away');
      sent.push(...events.map(({ id }) => id));
    };
    api.put('a', '0', T0);
    const one = await live(api, folder(), T0, { auditWebhook, sink: { put }, spoolCap: 60_000 });
    let serial = 0;
    const batch = () => Array.from({ length: 20 }, () => auditEvent(++serial, T0 + serial * 2_000));
    let taken = 0;
    let answer = await post(one.auditPort, batch());
    for (; answer.status === 200; answer = await post(one.auditPort, batch())) taken++;
    expect(answer).toEqual({ status: 429, retryAfter: '1' });
    expect(taken).toBeGreaterThan(3);
    expect(one.exporter.ready()).toBe(false);
    await expect(one.exporter.acceptAudit([])).rejects.toThrow(SpoolFullError);
    expect(one.exporter.stats().spool).toMatchObject({ cap: 60_000 });
    // A watch waits, too.
    const { events } = one.exporter.stats();
    api.put('a', '1', T0);
    api.put('a', '2', T0);
    for (let i = 0; i < 3; i++) {
      await until(() => one.clock.pending().includes(1_000));
      one.clock.advance(1_000);
    }
    expect(one.exporter.stats().events).toBe(events);

    away = false;
    await pass(one, () => one.exporter.stats().events === events + 2 && one.exporter.ready());
    expect(await post(one.auditPort, [auditEvent(1, T0 + 2_000)])).toMatchObject({ status: 200 });
    await pass(one, () => one.exporter.stats().spool.waiting === 0);
    expect(one.exporter.stats()).toMatchObject({ duplicates: 1, facts: { changes: 2 } });
    const { facts } = one.exporter.stats();
    expect(sent.length).toBe((facts.storm ?? 0) + 2);
    expect(sent.length).toBe(new Set(sent).size);
  });

  it('keeps what the bus will never take in a file, with the reason', async () => {
    const [api, directory] = [await historyServer(), folder()];
    api.put('a', '0', T0);
    const put = async (events: Envelope[], refuse?: Refuse) => {
      for (const event of events) refuse?.(event, 'MalformedDetail');
    };
    const one = await live(api, directory, T0, { sink: { put, failures: () => ({ MalformedDetail: 1 }) } });
    api.put('a', '1', T0);
    await until(() => one.exporter.stats().deadLettered === 1 && one.exporter.stats().spool.waiting === 0);
    const [line = ''] = readFileSync(join(directory, 'dead-letters.ndjson'), 'utf8').split('\n');
    expect(JSON.parse(line)).toMatchObject({
      at: new Date(T0).toISOString(),
      because: 'MalformedDetail',
      fact: { detail: { change: 'modified' } },
    });
    expect(one.exporter.stats()).toMatchObject({ sent: 0, putEventsFailed: { MalformedDetail: 1 }, facts: { changes: 1 } });
  });
});

describe('facts about a time of which audit is missing', () => {
  /** The coverage of a storm of four requests, `seconds` after T0. */
  async function coverageOf(one: Awaited<ReturnType<typeof live>>, seconds: number, first = 1) {
    for (let i = 0; i < 4; i++) await one.exporter.acceptAudit([auditEvent(first + i, T0 + seconds * 1_000 + i)], 'audit-webhook');
    await until(() => one.storms().length > 0);
    return one.storms().at(-1)?.coverage;
  }

  it.each([
    ['no gap after a restart that the API server bridges by asking again', 30, false],
    ['a gap after a restart that took longer', 90, true],
  ])('say %s', async (_, seconds, gap) => {
    const [api, directory, { auditWebhook }] = [await historyServer(), folder(), await listener()];
    const first = await live(api, directory, T0, { auditWebhook });
    await first.exporter.acceptAudit([auditEvent(100, T0)], 'audit-webhook');
    await first.stop();
    const second = await live(api, directory, T0 + seconds * 1_000, { auditWebhook });
    expect(await coverageOf(second, seconds)).toMatchObject({ gap });
  });

  it.each([
    [30, false],
    [90, true],
  ])('after the webhook refused for %s s: gap %s', async (seconds, gap) => {
    const [api, { auditWebhook, post }] = [await historyServer(), await listener()];
    let away = true;
    const facts: Envelope[] = [];
    const put = async (events: Envelope[]) => {
      if (away) throw new Error('away');
      facts.push(...events);
    };
    const one = await live(api, folder(), T0, { auditWebhook, sink: { put }, spoolCap: 10_000 });
    for (let i = 0; i < 60; i++) await one.exporter.acceptAudit([auditEvent(1_000 + i, T0 - 500_000 + i * 2_000)]).catch(() => {});
    expect((await post(one.auditPort, [auditEvent(1, T0)])).status).toBe(429);
    one.clock.advance(seconds * 1_000);
    away = false;
    await pass(one, () => one.exporter.ready());
    const now = one.clock.now();
    facts.length = 0;
    expect(
      (
        await post(
          one.auditPort,
          [1, 2, 3, 4].map((i) => auditEvent(i, now + i)),
        )
      ).status,
    ).toBe(200);
    await pass(one, () => facts.length > 0);
    expect(facts[0]?.detail.coverage).toMatchObject({ gap });
    expect(one.exporter.stats().lagSeconds['audit-webhook']).toBeLessThan(10);
  });

  it('say a gap after the API server died, with what it had not sent yet', async () => {
    const [api, { auditWebhook }] = [await historyServer(), await listener()];
    const one = await live(api, folder(), T0, { auditWebhook });
    api.breakOff();
    await until(() => one.clock.pending().includes(375));
    one.clock.advance(375);
    await until(() => one.exporter.ready());
    expect(await coverageOf(one, 1)).toMatchObject({ gap: true });
  });

  it('come from sources that keep their own checkpoints, say what they lost, and are started again', async () => {
    const [api, directory] = [await historyServer(), folder()];
    const contexts: AuditSourceContext[] = [];
    const source: AuditSource = {
      name: 'audit-file',
      async run(context) {
        contexts.push(context);
        if (contexts.length === 1) throw new Error('the file is gone');
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      },
    };
    const one = await live(api, directory, T0, { sources: [source] });
    await until(() => one.clock.pending().includes(375));
    one.clock.advance(375);
    await until(() => contexts.length === 2);
    const [, context] = contexts as [AuditSourceContext, AuditSourceContext];
    await context.accept([auditEvent(1, T0)]);
    context.dropped(3, 'line-too-long');
    context.gap(T0 - 5_000, T0 - 4_000);
    await context.checkpoint.write({ offset: 7 });
    expect(await coverageOf(one, 1, 2)).toEqual({ sources: ['audit'], gap: true, dropped: 3 });
    expect(one.exporter.stats()).toMatchObject({ dropped: { 'line-too-long': 3 }, lagSeconds: { 'audit-file': 0.375 } });
    expect(one.problems).toEqual([expect.stringContaining('Reading audit-file: the file is gone')]);
    await one.stop();
    await live(api, directory, T0 + 600_000, { sources: [source] });
    await until(() => contexts.length === 3);
    expect(contexts[2]?.checkpoint.read()).toEqual({ offset: 7 });
  });

  it('are believed no further than our clock: an event dated 2099 hides neither silence nor a storm', async () => {
    const [api, { auditWebhook }] = [await historyServer(), await listener()];
    const one = await live(api, folder(), T0, { auditWebhook });
    await one.exporter.acceptAudit([auditEvent(1, Date.UTC(2099, 0))], 'audit-webhook');
    one.clock.advance(60_000);
    expect(one.exporter.stats()).toMatchObject({ skewed: 1, lagSeconds: { 'audit-webhook': 60 } });
    expect(await coverageOf(one, 60, 100)).toMatchObject({ skewed: 1, dropped: 0 });
  });
});
