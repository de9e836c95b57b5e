import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

/** Lambda's API as far as a function is invoked by it; `run` is the function. What it throws is answered as Lambda answers it. Its calls are noted and go wrong as those of `proxy`. */
export async function startInvokeService(
  proxy: FaultProxy,
  silence: number,
  run: (event: unknown) => Promise<unknown>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    try {
      response.end(JSON.stringify((await run(await json(request))) ?? null));
    } catch (error) {
      response.setHeader('x-amz-function-error', 'Unhandled').end(JSON.stringify({ errorMessage: (error as Error).message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const before = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, silence);
  before.intercept = (call) => {
    proxy.calls.push(call);
    return proxy.intercept(call);
  };
  return {
    url: before.endpoint,
    async stop() {
      await before.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
