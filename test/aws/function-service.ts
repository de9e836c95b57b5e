import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type Invocation, type LocalLambda, startLambda } from '../local-lambda.ts';

/** The built functions, each in a process of its own as in Lambda, and Lambda's API to ask them. */
export interface FunctionService {
  /** Of the Lambda API. */
  url: string;
  /** Runs a function (`strimzi/upgrade-stale-crds`) once; one event after the other, the first starts it. */
  invoke(name: string, event: unknown): Promise<Invocation>;
  /** The next event finds a fresh process, as after a deployment. */
  renew(): void;
  stop(): Promise<void>;
}

interface Options {
  /** What `npm run build` made. */
  built: string;
  /** Where they are unpacked. */
  folder: string;
  /** Of a function when it starts, and the clusters that are packed with it. */
  environment(name: string, url: string): Record<string, string>;
  clusters(name: string): object;
}

const INVOKE = /^\/2015-03-31\/functions\/[^/]*?kubemend-dev-([^/]+)\/invocations$/;

/** Starts the API; functions start when they are asked. */
export async function startFunctionService({ built, folder, environment, clusters }: Options): Promise<FunctionService> {
  const running = new Map<string, { lambda: LocalLambda; generation: number }>();
  const queues = new Map<string, Promise<unknown>>();
  let generation = 0;
  const server = createServer(async (request, response) => {
    const event = await json(request);
    const [operator = '', ...failure] = (INVOKE.exec(decodeURIComponent(request.url ?? ''))?.[1] ?? '').split('-');
    const { answer, error } = await invoke(`${operator}/${failure.join('-')}`, event).catch((error: Error) => ({
      ...{ answer: undefined, error: error.message },
    }));
    if (error !== undefined) response.setHeader('x-amz-function-error', 'Unhandled');
    response.end(JSON.stringify(error === undefined ? answer : { errorMessage: error }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const warm = async (name: string): Promise<LocalLambda> => {
    const known = running.get(name);
    if (known?.generation === generation) return known.lambda;
    known?.lambda.stop();
    const own = join(built, name);
    const names = (await readdir(own)).filter((file) => !file.endsWith('.map'));
    const files = new Map<string, Buffer>();
    for (const file of names) files.set(`dist/${name}/${file}`, await readFile(join(own, file)));
    files.set(`dist/${name}/clusters.json`, Buffer.from(JSON.stringify(clusters(name))));
    const lambda = await startLambda(files, `dist/${name}/index.mjs`, join(folder, name), environment(name, url));
    running.set(name, { lambda, generation });
    return lambda;
  };
  const invoke = (name: string, event: unknown): Promise<Invocation> => {
    const turn = (queues.get(name) ?? Promise.resolve()).then(async () => (await warm(name)).invoke(event));
    queues.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  };
  return {
    ...{ url, invoke },
    renew() {
      generation += 1;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await Promise.all(queues.values());
      for (const { lambda } of running.values()) lambda.stop();
    },
  };
}
