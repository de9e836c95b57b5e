import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { pathOf } from './object.ts';
import { asBuffer, type Caller, upgrade } from './upgrade.ts';

/** One port inside one pod. */
export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

const DATA = 0;
/** Each of the two channels begins with the port, two bytes. */
const PREFIX = 2;

/** Opens a byte stream to a port of a pod, from inside the pod, through the API server. Throws UpgradeRefusedError, InvalidPathError, and after `within` milliseconds. */
export async function openPortForward(caller: Caller, target: PodPort, within: number): Promise<Duplex> {
  const { namespace, pod, port } = target;
  const path = `${pathOf({ group: '', version: 'v1', resource: 'pods', namespace }, pod, 'portforward')}?${new URLSearchParams({ ports: `${port}` })}`;
  const what = { name: `port-forward to pods ${namespace}/${pod}`, path, protocols: ['v4.channel.k8s.io'] };
  return upgrade(caller, what, within, (socket) => new ForwardedPort(socket, target));
}

/** Both directions of one forwarded port. It ends with an error when the pod's side says one: a port nobody listens on, a reset. */
class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: PodPort;
  readonly #skip = new Map<number, number>();

  constructor(socket: WebSocket, target: PodPort) {
    super();
    this.#socket = socket;
    this.#target = target;
    // Its reader may come a moment later; it finds the error in `errored`.
    this.on('error', () => undefined);
    socket.on('message', (data) => this.#take(asBuffer(data)));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.push(null));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(DATA), chunk]), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #take(frame: Buffer): void {
    const channel = frame[0] ?? DATA;
    const skip = Math.min(this.#skip.get(channel) ?? PREFIX, frame.length - 1);
    this.#skip.set(channel, (this.#skip.get(channel) ?? PREFIX) - skip);
    const data = frame.subarray(1 + skip);
    if (data.length === 0) return;
    const { namespace, pod, port } = this.#target;
    if (channel !== DATA) this.destroy(new Error(`port ${port} of pods ${namespace}/${pod}: ${data.toString('utf8').trim()}`));
    else if (!this.push(data)) this.#socket.pause();
  }
}
