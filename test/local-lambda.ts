import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

/** What a handler answered, or the message of what it threw. */
export type Invocation = { answer?: Record<string, unknown>; error?: string };

/** One warm environment of a packaged function, in its own process. */
export interface LocalLambda {
  invoke(event: unknown): Promise<Invocation>;
  /** Resolves when `text` stands in its log: logs and answers come by different ways, in any order. */
  logged(text: string): Promise<void>;
  stop(): void;
}

/** Unpacks an archive into `folder`, far from any node_modules, and starts `module` in it with exactly `env`; an invocation has `timeout` milliseconds. */
export async function startLambda(
  files: Map<string, Buffer>,
  module: string,
  folder: string,
  env: Record<string, string>,
  timeout = 30_000,
): Promise<LocalLambda> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const child = fork(join(import.meta.dirname, 'lambda-runner.mjs'), [join(folder, module), `${timeout}`], {
    env,
    cwd: folder,
    execArgv: [],
    silent: true,
  });
  let logs = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (logs += chunk));
  const next = async () => {
    const done = new AbortController();
    const { signal } = done;
    try {
      return await Promise.race([once(child, 'message', { signal }), once(child, 'exit', { signal })]);
    } finally {
      done.abort();
    }
  };
  const [first] = await next();
  if (first?.ready !== true) throw new Error(`${module} could not be started: ${logs}`);
  return {
    async invoke(event) {
      const answered = next();
      child.send(event as object);
      return (await answered)[0];
    },
    async logged(text) {
      while (!logs.includes(text)) await Promise.race([once(child.stdout as Readable, 'data'), once(child.stderr as Readable, 'data')]);
    },
    stop: () => void child.kill(),
  };
}

/** One entry of a PutEvents call. */
export interface Entry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
}

/** An EventBridge endpoint that takes every entry and keeps it. */
export async function startEventBridge(): Promise<{ url: string; entries: Entry[]; stop(): void }> {
  const entries: Entry[] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: Entry[] };
    entries.push(...Entries);
    const body = { FailedEntryCount: 0, Entries: Entries.map((_, index) => ({ EventId: `${index}` })) };
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
