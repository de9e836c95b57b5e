import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findPython } from './python-packages.ts';

/** A running moto: AWS over HTTP, in memory. Any credentials and region do; each region has its own things. */
export interface Moto {
  /** `http://127.0.0.1:PORT` */
  endpoint: string;
  /** Stops moto's clock at `now` (milliseconds since the epoch); from then on only calling it again moves it. Receive without waiting then. */
  setTime(now: number): Promise<void>;
  stop(): Promise<void>;
}

/** What the client of any AWS service needs to talk to moto. */
export const clientOptions = (endpoint: string, region = 'eu-west-1') => ({
  endpoint,
  region,
  credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
});

const tell = (line: string): void => void process.stderr.write(`moto: ${line}\n`);

/** Starts a moto server on a free port, installing it first when it is missing. It ends with this process. */
export async function startMoto(progress: (line: string) => void = tell): Promise<Moto> {
  const python = await findPython({ name: 'moto', progress });
  // -B: no compiled files beside the script.
  const child = spawn(python, ['-B', join(import.meta.dirname, 'moto-server.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  child.stdin.on('error', () => {}); // it has ended: `exit` tells
  const exit = once(child, 'exit').then(() => {
    throw new Error(`moto ended: ${errors.trim() || 'it said nothing'}`);
  });
  exit.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => (await Promise.race([lines.next(), exit])).value ?? '';
  const port = Number(await line());
  if (!port) return exit;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async setTime(now) {
      child.stdin.write(`${Math.round(now)}\n`);
      await line();
    },
    async stop() {
      child.stdin.end();
      await exit.catch(() => {});
    },
  };
}
