import type { Answer, Request } from './kubernetes/transport.ts';
import type { Dialer } from './zookeeper/reach.ts';

/** Sends any request: what `execute` alone is given. */
export interface Sender extends Dialer {
  send(request: Request): Promise<Answer>;
}

/** Whether a sender threw before anything left this process; it says so itself (`sent: false`). Whatever else it throws may have arrived. */
export const wasNotSent = (error: unknown): error is Error => (error as { sent?: unknown } | undefined)?.sent === false;
