import type { Duplex } from 'node:stream';
import type { PodPort } from '../kubernetes/port-forward.ts';
import { ZookeeperSession } from './client.ts';

/** Opens byte streams into pods; a transport to an API server does. */
export interface Dialer {
  portForward?(target: PodPort): Promise<Duplex>;
}

/** ZooKeeper answers within milliseconds; Kafka's own tool would wait for 36 s. */
export const ANSWER_WITHIN = 10_000;

/** Does something in one session with the ZooKeeper behind a pod's port, and ends the session. Throws when it cannot be reached or does not answer in time. */
export async function atZookeeper<T>(
  dialer: Dialer,
  { namespace, pod, port }: PodPort,
  action: (session: ZookeeperSession) => Promise<T>,
  within = ANSWER_WITHIN,
): Promise<T> {
  if (!dialer.portForward) throw new Error(`pods ${namespace}/${pod} cannot be reached from here: there is no port-forward`);
  const stream = await dialer.portForward({ namespace, pod, port });
  const session = await ZookeeperSession.open(stream, within);
  try {
    return await action(session);
  } finally {
    await session.close();
  }
}
