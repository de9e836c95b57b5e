import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import { PutEventsSink } from './put-events.ts';
import { UndeliveredError } from './sink.ts';

interface Asked {
  Entries: { Detail: string }[];
}
/** Answers one call; `ids` are those of its facts. */
type Answer = (response: ServerResponse, ids: string[], call: number) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function start(answer: Answer, answerWithin = 20_000) {
  const calls: string[][] = [];
  const dead: string[] = [];
  const waits: number[] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as Asked;
    const ids = Entries.map(({ Detail }) => JSON.parse(Detail).id as string);
    calls.push(ids);
    answer(response, ids, calls.length);
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
    ...{ client, bus: 'kubemend', attempts: 3, random: () => 0.5, answerWithin },
    wait: async (ms) => void waits.push(ms),
  });
  /** The ids that came back as undelivered. */
  const put = async (events: Envelope[]): Promise<string[]> => {
    try {
      await sink.put(events, ({ id }, because) => void dead.push(`${id}: ${because}`));
      return [];
    } catch (error) {
      if (!(error instanceof UndeliveredError)) throw error;
      return error.undelivered.map(({ id }) => id);
    }
  };
  return { sink, put, calls, dead, waits };
}

/** `a1` is the first fact about object `a`. */
const fact = (id: string, more: Partial<Envelope> = {}): Envelope => ({
  id,
  source: 'kubernetes',
  'detail-type': 'Object Changed',
  time: '2026-11-21T10:00:00.000Z',
  detail: { id, cluster: 'c', object: { group: '', version: 'v1', resource: 'pods', namespace: 'n', name: id[0] } },
  ...more,
});
const facts = (...ids: string[]): Envelope[] => ids.map((id) => fact(id));
const say = (response: ServerResponse, text: string, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(text);
};
const results = (response: ServerResponse, codes: (string | undefined)[]): void =>
  say(response, JSON.stringify({ Entries: codes.map((ErrorCode) => (ErrorCode ? { ErrorCode, ErrorMessage: 'no' } : { EventId: 'e' })) }));
const take = (response: ServerResponse, ids: string[]): void =>
  results(
    response,
    ids.map(() => undefined),
  );

describe('a call without a proper answer is made again', () => {
  it.each<[string, string, Answer]>([
    ['no answer at all', 'TimeoutError', () => {}],
    ['a reset connection', 'ECONNRESET', (response) => void response.socket?.resetAndDestroy()],
    ['an answer that is no JSON', 'SyntaxError', (response) => say(response, '<html>proxy</html>')],
    ['an answer that says nothing', 'NoAnswer', (response) => say(response, '{}')],
    ['results for fewer entries', 'NoAnswer', (response) => results(response, [undefined])],
    ['results for more entries', 'NoAnswer', (response) => results(response, [undefined, undefined, undefined])],
    ['neither an id nor an error', 'NoAnswer', (response) => say(response, '{"Entries":[{},{}]}')],
    ['503', 'ServiceUnavailable', (response) => say(response, '{"__type":"ServiceUnavailable"}', 503)],
  ])('%s', async (_, code, trouble) => {
    const { put, sink, calls } = await start((response, ids, call) => (call === 1 ? trouble : take)(response, ids, call), 1_500);
    expect(await put(facts('a1', 'b1'))).toEqual([]);
    expect(calls).toEqual([
      ['a1', 'b1'],
      ['a1', 'b1'],
    ]);
    expect(sink.failures()).toEqual({ [code]: 2 });
  });

  it('and everything comes back when it stays so', async () => {
    const { put, calls } = await start((response) => void response.socket?.resetAndDestroy());
    expect(await put(facts('a1', 'b1', 'a2'))).toEqual(['a1', 'b1', 'a2']);
    expect(calls.length).toBe(3);
  });
});

describe('the facts of one object', () => {
  it('are never in one call, and other objects fill it', async () => {
    const { put, calls } = await start(take);
    await put(facts('a1', 'a2', 'b1', 'a3', 'c1', 'b2'));
    expect(calls).toEqual([['a1', 'b1', 'c1'], ['a2', 'b2'], ['a3']]);
  });

  it('wait for the one that fails; other objects do not', async () => {
    const { put, calls } = await start((response, ids) =>
      results(
        response,
        ids.map((id) => (id === 'a1' ? 'InternalFailure' : undefined)),
      ),
    );
    expect(await put(facts('a1', 'b1', 'a2', 'b2'))).toEqual(['a1', 'a2']);
    expect(calls).toEqual([['a1', 'b1'], ['a1'], ['a1'], ['b2']]);
  });

  it('keep their order through anything, and none is lost', async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const taken: string[] = [];
    const { put, dead } = await start((response, ids) => {
      const trouble = random();
      if (trouble < 0.1) return void response.socket?.resetAndDestroy();
      const codes = ids.map(() => (random() < 0.3 ? (random() < 0.5 ? 'InternalFailure' : 'ThrottlingException') : undefined));
      taken.push(...ids.filter((_, index) => codes[index] === undefined));
      if (trouble < 0.2) return void response.socket?.resetAndDestroy();
      return results(response, codes);
    });
    const all = Array.from({ length: 400 }, (_, i) => `${'abcdefghijklmno'[Math.floor(random() * 15)]}${i}`);
    // As the outbox does: what comes back goes first.
    for (let waiting = all, done = 0; done < all.length; ) {
      const batch = waiting.slice(0, 100);
      const left = await put(facts(...batch));
      done += batch.length - left.length;
      waiting = [...left, ...waiting.slice(100)];
    }
    const first = [...new Set(taken)];
    for (const object of 'abcdefghijklmno') {
      const mine = (id: string) => id.startsWith(object);
      expect(first.filter(mine)).toEqual(all.filter(mine));
    }
    expect(dead).toEqual([]);
  });
});

describe('throttling', () => {
  it('is answered with longer pauses, and no other call until it ends', async () => {
    const { put, calls, waits } = await start((response, ids) =>
      results(
        response,
        ids.map((id) => (id === 'a1' ? 'ThrottlingException' : undefined)),
      ),
    );
    expect(await put(facts('a1', 'b1', 'b2'))).toEqual(['a1', 'b2']);
    expect(calls).toEqual([['a1', 'b1'], ['a1'], ['a1']]);
    expect(waits).toEqual([375, 750]);
  });
});

describe('what EventBridge will never take', () => {
  const refuse = (response: ServerResponse) => say(response, '{"__type":"ValidationException","message":"no"}', 400);

  it('is not sent when that is plain before', async () => {
    const { put, dead, calls } = await start(take);
    expect(await put([fact('a1', { time: 'yesterday' }), fact('a2')])).toEqual([]);
    expect(dead).toEqual(['a1: its time is no time: yesterday']);
    expect(calls).toEqual([['a2']]);
  });

  it('is everything, when the name of the bus is wrong: then nothing is given up', async () => {
    const { put, dead, calls } = await start(refuse);
    expect(await put(facts('a1', 'b1'))).toEqual(['a1', 'b1']);
    expect(dead).toEqual([]);
    expect(calls).toEqual([['a1', 'b1'], ['a1'], ['b1']]);
  });

  it('is found out even when it comes first', async () => {
    const { put, dead } = await start((response, ids) => (ids.includes('a1') ? refuse(response) : take(response, ids)));
    expect(await put(facts('a1', 'b1'))).toEqual(['a1']);
    expect(await put(facts('a1', 'a2'))).toEqual([]);
    expect(dead).toEqual(['a1: ValidationException no']);
  });

  it('is not what only lacks a right', async () => {
    const { put, dead, sink } = await start((response, ids) =>
      results(
        response,
        ids.map(() => 'NotAuthorizedForSourceException'),
      ),
    );
    expect(await put(facts('a1', 'b1'))).toEqual(['a1', 'b1']);
    expect(dead).toEqual([]);
    expect(sink.failures()).toEqual({ NotAuthorizedForSourceException: 6 });
  });
});
