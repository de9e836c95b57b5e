import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isNeverTaken } from './bus.ts';
import { EventBridgeBus } from './eventbridge.ts';

interface Call {
  target: unknown;
  entries: Record<string, unknown>[];
}
type Reply = { status?: number; body: unknown };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const event = {
  id: 'abc/2.0',
  source: 'kubemend',
  'detail-type': 'Incident Changed',
  time: '2026-11-21T04:05:06.000Z',
  detail: { state: 'planned' },
};
const taken: Reply = { body: { FailedEntryCount: 0, Entries: [{ EventId: '1' }] } };
const refused = (ErrorCode: string): Reply => ({ body: { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: 'no' }] } });

/** An endpoint that answers PutEvents with the replies in turn, and a bus on it. */
async function busOn(replies: Reply[]) {
  const calls: Call[] = [];
  const waits: number[] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: Record<string, unknown>[] };
    calls.push({ target: request.headers['x-amz-target'], entries: Entries });
    const { status = 200, body } = replies[Math.min(calls.length, replies.length) - 1] ?? taken;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new EventBridgeClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  closing.push(() => {
    client.destroy();
    server.close();
  });
  const bus = new EventBridgeBus({ client, bus: 'kubemend-test', wait: async (ms) => waits.push(ms) });
  return { bus, calls, waits };
}

describe('the EventBridge bus', () => {
  it('puts one entry with source, type, time and detail on the named bus', async () => {
    const { bus, calls } = await busOn([taken]);
    await bus.publish(event);
    expect(calls).toEqual([
      {
        target: 'AWSEvents.PutEvents',
        entries: [
          {
            EventBusName: 'kubemend-test',
            Source: 'kubemend',
            DetailType: 'Incident Changed',
            Detail: '{"state":"planned"}',
            Time: Date.parse(event.time) / 1_000,
          },
        ],
      },
    ]);
  });

  it.each([
    ['the entry was throttled', refused('ThrottlingException')],
    ['the call failed', { status: 500, body: { __type: 'InternalException', message: 'no' } }],
    ['the answer has no result for the entry', { body: { FailedEntryCount: 0, Entries: [] } }],
  ])('tries again when %s', async (_, reply) => {
    const { bus, calls, waits } = await busOn([reply, taken]);
    await bus.publish(event);
    expect(calls).toHaveLength(2);
    expect(waits).toEqual([200]);
  });

  it('gives up after three tries, and says which event, which bus and why', async () => {
    const { bus, calls } = await busOn([refused('InternalFailure')]);
    await expect(bus.publish(event)).rejects.toThrow(
      'Incident Changed abc/2.0 was not taken by the bus kubemend-test: InternalFailure: no',
    );
    expect(calls).toHaveLength(3);
  });

  it('does not repeat an entry that will never be taken, although the call was answered 200', async () => {
    const { bus, calls } = await busOn([refused('MalformedDetail')]);
    await expect(bus.publish(event)).rejects.toMatchObject({ name: 'PublishError', code: 'MalformedDetail' });
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['a malformed detail', refused('MalformedDetail'), true],
    [
      'an entry that is too large',
      { status: 400, body: { __type: 'ValidationException', message: 'Total size of the entries in the request is over the limit.' } },
      true,
    ],
    ['a bus with a wrong name', { status: 400, body: { __type: 'ValidationException', message: "Value at 'eventBusName' failed" } }, false],
    ['rights that are missing', refused('NotAuthorizedForSourceException'), false],
    ['throttling', refused('ThrottlingException'), false],
  ])('says whether another try could bring an event through: %s', async (_, reply, never) => {
    const { bus } = await busOn([reply]);
    expect(await bus.publish(event).catch(isNeverTaken)).toBe(never);
  });

  it('does not send what EventBridge cannot take, and says how large it is', async () => {
    const { bus, calls } = await busOn([taken]);
    const error = await bus.publish({ ...event, detail: { large: '€'.repeat(400_000) } }).catch((refusal: Error) => refusal);
    expect(error).toMatchObject({
      code: 'Flawed',
      never: true,
      message: expect.stringMatching(/: Flawed: 12000\d\d bytes; EventBridge takes less/),
    });
    expect(calls).toEqual([]);
  });
});
