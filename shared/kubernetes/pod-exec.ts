import type WebSocket from 'ws';
import * as z from 'zod';
import { pathOf } from './object.ts';
import { asBuffer, type Caller, upgrade } from './upgrade.ts';

/** A pod with one container, or whose first one is meant. */
export interface Pod {
  namespace: string;
  pod: string;
}

/** What a command in a pod printed, and its exit code. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const [STDOUT, STDERR, STATUS] = [1, 2, 3];
const LONGEST = 8 << 20;

/**
 * Runs one command in a pod, without a shell and without input. Throws UpgradeRefusedError, when it could not be run, and when it has not ended
 * `within` milliseconds: then it may still run.
 */
export async function execInPod(caller: Caller, { namespace, pod }: Pod, command: string[], within: number): Promise<Ran> {
  const query = new URLSearchParams({ stdout: 'true', stderr: 'true' });
  for (const word of command) query.append('command', word);
  const path = `${pathOf({ group: '', version: 'v1', resource: 'pods', namespace }, pod, 'exec')}?${query}`;
  const name = `exec in pods ${namespace}/${pod}`;
  const opened = await upgrade(caller, { name, path, protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'] }, within, (socket) => ({
    // In an object, or `await` would wait for the command instead of the connection, without a deadline.
    ran: follow(socket, name, within),
  }));
  return opened.ran;
}

function follow(socket: WebSocket, name: string, within: number): Promise<Ran> {
  const printed = new Map<number, Buffer[]>();
  const text = (channel: number): string => Buffer.concat(printed.get(channel) ?? []).toString('utf8');
  let size = 0;
  return new Promise<Ran>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name}: ${within / 1_000} s passed and the command had not ended`)), within);
    const end = (): void => {
      clearTimeout(timer);
      const code = exitCode(text(STATUS));
      if (typeof code === 'number') resolve({ code, stdout: text(STDOUT), stderr: text(STDERR) });
      else reject(new Error(`${name}: ${code}`));
    };
    socket.on('message', (data) => {
      const frame = asBuffer(data);
      const channel = frame[0] ?? 0;
      printed.set(channel, [...(printed.get(channel) ?? []), frame.subarray(1)]);
      size += frame.length;
      if (size > LONGEST) reject(new Error(`${name}: the command printed more than ${LONGEST} bytes`));
    });
    socket.on('error', reject);
    socket.on('close', end);
  }).finally(() => socket.terminate());
}

const word = z.string().optional();
/** The `Status` of Kubernetes on the error channel; whatever the pod's side sends is checked. */
const Status = z.looseObject({
  ...{ status: word, reason: word, message: word },
  details: z.looseObject({ causes: z.array(z.looseObject({ reason: word, message: word })).optional() }).optional(),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The exit code, or why there is none. */
function exitCode(text: string): number | string {
  if (text === '') return 'the connection ended before the command did';
  const parsed = Status.safeParse(parseJson(text));
  if (!parsed.success) return 'the answer does not say how the command ended';
  const { status, reason, message = 'it was not run', details } = parsed.data;
  if (status === 'Success') return 0;
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  // Of a process: an integer. Anything else says nothing about how it ended.
  return reason === 'NonZeroExitCode' && code !== undefined && /^\d{1,3}$/.test(code) ? Number(code) : message;
}
