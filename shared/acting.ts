import type { Recorder } from './examine.ts';
import type { Sender } from './sender.ts';

/** How the engine reaches one cluster as one remediation: a fresh view for each examination, and the identity it writes with. */
export interface Access {
  examine(): Recorder;
  /** Absent: this run can never write (replay). */
  sender?: Sender;
  /** Absent: nobody is told in the cluster. */
  announcer?: Sender;
}

/** The configuration has no such cluster: a fact names a foreign one, or the cluster was removed. */
export class UnknownClusterError extends Error {
  override name = 'UnknownClusterError';
}

/** Why this process may not act now, as one sentence; undefined: it may. It answers from memory: it is asked directly before every request. */
export type MayAct = () => string | undefined;

/** This process may not act now: it lost its lease, or cannot renew it. Nothing was sent, and nothing is stored. */
export class MayNotActError extends Error {
  override name = 'MayNotActError';
  /** Nothing left this process (see `wasNotSent`). */
  readonly sent = false;
}

/** Throws MayNotActError while this process may not act. */
export function assertMayAct(mayAct: MayAct | undefined): void {
  const held = mayAct?.();
  if (held !== undefined) throw new MayNotActError(held);
}

/** A sender that sends nothing while this process may not act: a process that was stopped for longer than its lease notices before its next request. */
export const guardedSender = (sender: Sender, mayAct: MayAct): Sender => ({
  async send(request) {
    assertMayAct(mayAct);
    return sender.send(request);
  },
  ...(sender.portForward && {
    async portForward(target) {
      assertMayAct(mayAct);
      return (sender as Required<Sender>).portForward(target);
    },
  }),
  ...(sender.exec && {
    async exec(target, command, within) {
      assertMayAct(mayAct);
      return (sender as Required<Sender>).exec(target, command, within);
    },
  }),
});

/** The same for all that an engine may send in a cluster. */
export function guardedAccess(access: Access, mayAct: MayAct | undefined): Access {
  if (!mayAct) return access;
  const { sender, announcer } = access;
  return {
    examine: () => access.examine(),
    ...(sender && { sender: guardedSender(sender, mayAct) }),
    ...(announcer && { announcer: guardedSender(announcer, mayAct) }),
  };
}
