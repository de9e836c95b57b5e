import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { ending, UnexpectedError } from './ending.ts';

describe('a verb that runs on ends', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('without an error after %s', async (signal) => {
    const source = new EventEmitter();
    const end = ending(source);
    source.emit(signal);
    expect(await end).toEqual({});
  });

  it.each(['uncaughtException', 'unhandledRejection'])('with the error after an %s', async (event) => {
    const source = new EventEmitter();
    const end = ending(source);
    source.emit(event, new Error('database is locked'));
    const { unexpected } = await end;
    expect(unexpected).toBeInstanceOf(UnexpectedError);
    expect(unexpected?.message).toMatch(
      /^kubemend ends after an unexpected error: database is locked .*ending\.test\.ts:\d+:\d+\)?\. Please report it;/,
    );
    expect(unexpected?.message).not.toMatch(/\n/);
  });
});

it('A rejection that nothing was prepared for ends the process with one sentence and exit code 70, after what was started is stopped', async () => {
  const program = `
    import { finish } from ${JSON.stringify(join(import.meta.dirname, 'run-verb.ts'))};
    import { ending } from ${JSON.stringify(join(import.meta.dirname, 'ending.ts'))};
    await finish([], async () => {
      const end = ending();
      // As a server that nobody closed would hold the process.
      const server = setInterval(() => undefined, 1_000);
      setImmediate(() => void Promise.reject(new Error('the heartbeat failed')));
      const { unexpected } = await end;
      clearInterval(server);
      console.log('stopped');
      return unexpected ? 70 : 0;
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect({ code, out }).toEqual({ code: 70, out: 'stopped\n' });
  expect(err.trim().split('\n')).toEqual([expect.stringMatching(/^kubemend ends after an unexpected error: the heartbeat failed/)]);
});
