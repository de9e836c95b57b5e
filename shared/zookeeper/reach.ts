import type { Duplex } from 'node:stream';
import type { Pod, Ran } from '../kubernetes/pod-exec.ts';
import type { PodPort } from '../kubernetes/port-forward.ts';
import { ZookeeperSession } from './client.ts';
import { overShell, SHELL_WITHIN } from './shell.ts';
import { overSession, type Znodes } from './znodes.ts';

/** Reaches into pods; a transport to an API server does. */
export interface Dialer {
  portForward?(target: PodPort): Promise<Duplex>;
  /** Runs one command; throws after `within` milliseconds. */
  exec?(target: Pod, command: string[], within: number): Promise<Ran>;
}

/** ZooKeeper answers within milliseconds. */
export const ANSWER_WITHIN = 10_000;

/**
 * Does something with the ZooKeeper behind a pod's port: in one session through port-forward; where that is refused, with Kafka's own tool
 * in the pod, if that is allowed. Throws when it cannot be reached or does not answer in time.
 */
export async function atZookeeper<T>(
  dialer: Dialer,
  target: PodPort,
  action: (znodes: Znodes) => Promise<T>,
  within = ANSWER_WITHIN,
): Promise<T> {
  const { namespace, pod, port } = target;
  if (!dialer.portForward) throw new Error(`pods ${namespace}/${pod} cannot be reached from here: there is no port-forward`);
  let stream: Duplex;
  try {
    stream = await dialer.portForward({ namespace, pod, port });
  } catch (refused) {
    if (!isForbidden(refused) || !dialer.exec) throw refused;
    const { exec } = dialer;
    return action(overShell(port, (command) => exec.call(dialer, { namespace, pod }, command, SHELL_WITHIN).catch(withBoth(refused))));
  }
  const session = await ZookeeperSession.open(stream, within);
  try {
    return await action(overSession(session));
  } finally {
    await session.close();
  }
}

const isForbidden = (error: unknown): error is Error & { status: number } => (error as { status?: number }).status === 403;

/** Where neither way is allowed, port-forward is the one to allow. */
const withBoth =
  (refused: Error) =>
  (error: Error): never => {
    throw isForbidden(error) ? refused : error;
  };
