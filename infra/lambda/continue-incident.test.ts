import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { incident } from '../../shared/state/contract.ts';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { invoke, makeContinueHandler } from './continue-incident.ts';
import type { Line } from './log.ts';

const NOW = 1_000_000;
let server: Server;
let client: LambdaClient;
/** What the functions were given, by name. */
const given: Record<string, unknown[]> = {};
const pauses: number[] = [];

/** What Lambda's Invoke answers: 200 also for a function that failed, with a header that says so. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const name = /functions\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1] ?? '';
    given[name] = [...(given[name] ?? []), await json(request)];
    if (name.endsWith('-broken')) response.setHeader('x-amz-function-error', 'Unhandled');
    if (name.endsWith('-busy')) response.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' });
    response.end(JSON.stringify(name.endsWith('-broken') ? { errorMessage: 'no table' } : { taken: true }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new LambdaClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 });
});
afterAll(() => {
  client.destroy();
  server.close();
});

async function run() {
  const state = new SqliteState(openDatabase(':memory:'));
  for (const [index, kind] of ['fine', 'broken', 'busy'].entries())
    await state.save(
      incident({ id: `${index}aaa00000000`, key: kind, remediation: `x/${kind}`, effects: [{ id: '1.0', kind: 'prepare' }] }),
      0,
    );
  const lines: Line[] = [];
  const log = (line: Line) => void lines.push(line);
  const handler = makeContinueHandler(() => ({
    ...{ state, log, now: () => NOW, schedule: { put: async () => undefined } },
    invoke: (remediation, appointment) =>
      invoke(client, `kubemend-dev-${remediation.replace('/', '-')}`, { appointment }, async (ms) => void pauses.push(ms)),
    onProblem: (message, fields) => log({ level: 'error', message, ...fields }),
  }));
  return { handler, lines };
}

const due = (id: number) => ({ incident: `${id}aaa00000000`, token: 2, at: NOW });

describe('the Lambda entry that continues incidents', () => {
  it('runs the function of each remediation and keeps in the queue what failed or was throttled', async () => {
    const { handler, lines } = await run();
    const Records = [0, 1, 2].map((id) => ({ messageId: `m${id}`, body: JSON.stringify(due(id)) }));
    expect(await handler({ Records }, {})).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm2' }] });
    expect(given['kubemend-dev-x-fine']).toEqual([{ appointment: due(0) }]);
    // One that failed is not asked again at once; one that was busy is, for ten seconds.
    expect(given['kubemend-dev-x-broken']).toHaveLength(1);
    expect(given['kubemend-dev-x-busy']).toHaveLength(1 + pauses.length);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('kubemend-dev-x-broken failed (Unhandled): {"errorMessage":"no table"}'),
      expect.stringContaining('comes again'),
      '1 handed on, 2 failed, in 0 ms',
    ]);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', handedOn: 1, notHandedOn: 2, function: 'kubemend/continue-incident' });
  });

  it('takes up what was left when the clock ticks', async () => {
    const { handler } = await run();
    expect(await handler({ 'detail-type': 'Scheduled Event', source: 'aws.events' }, {})).toEqual({ woken: ['0aaa00000000'] });
    expect(given['kubemend-dev-x-fine']?.at(-1)).toEqual({ appointment: { incident: '0aaa00000000', token: 'wake', at: NOW } });
  });

  it('refuses anything else', async () => {
    const { handler } = await run();
    await expect(handler({ hello: 1 }, {})).rejects.toThrow('neither messages of its queue nor a tick');
    expect(handler).toHaveLength(2);
  });
});
