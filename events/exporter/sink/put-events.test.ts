import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import { PutEventsSink } from './put-events.ts';
import { UndeliveredError } from './sink.ts';

interface Entry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time: number;
}
type Result = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A sink on a local PutEvents: `answer` says what becomes of each entry, or gives an HTTP status. */
async function start(answer: (entry: Entry, call: number) => Result | number = (_, call) => ({ EventId: `${call}` }), attempts = 3) {
  const calls: Entry[][] = [];
  const dead: string[] = [];
  const waits: number[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { Entries } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { Entries: Entry[] };
    calls.push(Entries);
    const results = Entries.map((entry) => answer(entry, calls.length));
    const status = results.find((result) => typeof result === 'number') ?? 200;
    const failed = results.filter((result) => typeof result !== 'number' && 'ErrorCode' in result).length;
    response.writeHead(status as number, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(
        status === 200
          ? { Entries: results, FailedEntryCount: failed }
          : { __type: status === 400 ? 'ValidationException' : 'InternalException', message: 'down' },
      ),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new EventBridgeClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const sink = new PutEventsSink({
    ...{ client, bus: 'kubemend', attempts, random: () => 0.5 },
    wait: async (ms) => void waits.push(ms),
  });
  const ids = () => calls.map((entries) => entries.map(({ Detail }) => JSON.parse(Detail).id));
  const put = (events: Envelope[]) => sink.put(events, ({ id }, because) => void dead.push(`${id}: ${because}`));
  return { sink, put, calls, dead, waits, ids };
}

const facts = (count: number, text = ''): Envelope[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${i}`,
    source: 'kubernetes',
    'detail-type': 'Object Changed',
    time: '2026-11-21T10:00:00.000Z',
    detail: { id: `${i}`, text },
  }));
const throttled = { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' };

describe('PutEventsSink', () => {
  it('sends full batches of ten, in order', async () => {
    const { sink, ids, calls } = await start();
    await sink.put(facts(23));
    expect(ids().map((batch) => batch.length)).toEqual([10, 10, 3]);
    expect(ids().flat()).toEqual(facts(23).map(({ id }) => id));
    expect(calls[0]?.[0]).toMatchObject({
      EventBusName: 'kubemend',
      Source: 'kubernetes',
      DetailType: 'Object Changed',
      Time: Date.UTC(2026, 10, 21, 10) / 1_000,
    });
  });

  it('keeps every request below 1 MB', async () => {
    const { sink, calls } = await start();
    await sink.put(facts(7, 'ä'.repeat(150_000)));
    expect(calls.map((entries) => entries.length)).toEqual([3, 3, 1]);
  });

  it('sends only the failed entries again, after a pause', async () => {
    const { sink, ids, waits } = await start(({ Detail }, call) =>
      call === 1 && ['2', '5'].includes(JSON.parse(Detail).id) ? throttled : { EventId: 'x' },
    );
    await sink.put(facts(10));
    expect(ids()[1]).toEqual(['2', '5']);
    expect(waits).toEqual([375]);
  });

  it('reports what EventBridge will never take, and delivers the rest', async () => {
    const { sink, put, ids, dead } = await start(({ Detail }) =>
      JSON.parse(Detail).id === '1' ? { ErrorCode: 'MalformedDetail', ErrorMessage: 'bad' } : { EventId: 'x' },
    );
    await put(facts(3));
    expect(sink.failures()).toEqual({ MalformedDetail: 1 });
    expect(dead).toEqual(['1: MalformedDetail bad']);
    expect(ids()).toEqual([['0', '1', '2']]);
  });

  it('does not send an entry of 1 MB', async () => {
    const { put, calls, dead } = await start();
    await put([...facts(1, 'x'.repeat(1_000_000)), ...facts(1)]);
    expect(dead).toEqual([expect.stringContaining('EventBridge takes less')]);
    expect(calls.map((entries) => entries.length)).toEqual([1]);
  });

  it('survives an answer of 500', async () => {
    const { sink, ids } = await start((_, call) => (call === 1 ? 500 : { EventId: 'x' }));
    await sink.put(facts(2));
    expect(ids()).toEqual([
      ['0', '1'],
      ['0', '1'],
    ]);
    expect(sink.failures()).toEqual({ InternalException: 2 });
  });

  it('does not let one entry that EventBridge refuses a whole call for stop the others', async () => {
    const { put, ids, dead } = await start(({ Detail }) => (JSON.parse(Detail).id === '1' ? 400 : { EventId: 'x' }));
    await put(facts(3));
    expect(ids()).toEqual([['0', '1', '2'], ['0'], ['1'], ['2']]);
    expect(dead).toEqual(['1: ValidationException down']);
  });

  it('hands back what did not get through, and everything behind it', async () => {
    const { sink } = await start(({ Detail }) => (JSON.parse(Detail).id === '4' ? throttled : { EventId: 'x' }));
    const error: unknown = await sink.put(facts(12)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UndeliveredError);
    expect((error as UndeliveredError).undelivered.map(({ id }) => id)).toEqual(['4', '10', '11']);
    expect((error as Error).message).toContain('ThrottlingException');
  });
});
