import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { loopbackCertificate } from '../../test/loopback-certificate.ts';
import { execInPod } from './pod-exec.ts';

const STATUS = 3;
const frame = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

describe('a command in a pod', () => {
  let answer: (socket: WebSocket) => void;
  let ca: string;
  let close: () => void;
  let server: string;
  beforeAll(async () => {
    const { cert, key } = await loopbackCertificate('exec');
    const https = createServer({ cert, key });
    const sockets = new WebSocketServer({ server: https, handleProtocols: ([first]) => first ?? false });
    sockets.on('connection', (socket) => answer(socket));
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    ca = cert;
    server = `https://127.0.0.1:${(https.address() as AddressInfo).port}`;
    close = () => {
      for (const socket of sockets.clients) socket.terminate();
      https.close();
    };
  });
  afterAll(() => close());

  const run = (...frames: Buffer[]) => {
    answer = (socket) => {
      for (const one of frames) socket.send(one);
      socket.close();
    };
    return execInPod({ server, headers: {}, ca }, { namespace: 'n', pod: 'p' }, ['true'], 30_000);
  };

  it.each([
    'garbage',
    'null',
    '7',
    '[]',
    '"x"',
    '{"status":{}}',
    '{"details":null}',
    '{"details":{"causes":{}}}',
    '{"details":{"causes":[null]}}',
  ])('fails, and the process goes on, when its status is %s', async (status) => {
    await expect(run(frame(1, 'out'), frame(STATUS, status))).rejects.toThrow(
      /^exec in pods n\/p: the answer does not say how the command ended$/,
    );
  });

  it('fails when its status gives an exit code that is not a number', async () => {
    const causes = [{ reason: 'ExitCode', message: 'x' }];
    const status = { status: 'Failure', reason: 'NonZeroExitCode', message: 'it failed', details: { causes } };
    await expect(run(frame(STATUS, JSON.stringify(status)))).rejects.toThrow('exec in pods n/p: it failed');
  });

  it('fails when the connection ends without a status', async () => {
    await expect(run(Buffer.alloc(0))).rejects.toThrow('exec in pods n/p: the connection ended before the command did');
  });

  it('answers what it printed, and its exit code', async () => {
    const causes = [{ reason: 'ExitCode', message: '3' }];
    const status = { status: 'Failure', reason: 'NonZeroExitCode', message: 'it failed', details: { causes } };
    expect(await run(frame(1, 'out'), frame(2, 'err'), frame(STATUS, JSON.stringify(status)))).toEqual({
      code: 3,
      stdout: 'out',
      stderr: 'err',
    });
    expect(await run(frame(STATUS, '{"status":"Success"}'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
