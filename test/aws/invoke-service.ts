import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** Lambda's API as far as a function is invoked by it; `run` is the function. What it throws is answered as Lambda answers it. */
export async function startInvokeService(run: (event: unknown) => Promise<unknown>): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    try {
      response.end(JSON.stringify((await run(await json(request))) ?? null));
    } catch (error) {
      response.setHeader('x-amz-function-error', 'Unhandled').end(JSON.stringify({ errorMessage: (error as Error).message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
