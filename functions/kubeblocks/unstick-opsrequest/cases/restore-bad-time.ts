import { milliseconds } from '../../../../shared/duration.ts';
import { allLive } from '../../../../shared/evidence.ts';
import { targetOf } from '../../../../shared/plan.ts';
import { fix } from '../../../../shared/verdict.ts';
import { type Case, evidenceOf } from '../case.ts';

/** KubeBlocks #10112: Restore. */
export const restoreBadTime: Case = {
  issue: '#10112',
  affects: 'up to 1.0.2 and 1.1.0-beta.5; fixed in 1.0.3-beta.3 and 1.1.0-beta.6',
  because: 'a point in time outside what can be restored is an error that is tried again for ever',
  types: ['Restore'],
  phases: ['Creating'],
  async ask(situation) {
    const { op, opReference, read, age } = situation;
    if (age < milliseconds('30s') || op.metadata.deletionTimestamp) return undefined;
    const events = await read.list({ group: '', version: 'v1', resource: 'events', namespace: op.metadata.namespace });
    const refused = events.find(({ involvedObject, reason, message }) => {
      const { uid } = (involvedObject ?? {}) as { uid?: string };
      return uid === op.metadata.uid && reason === 'DoActionFailed' && /restore ?time|point in time/i.test(String(message));
    });
    if (!refused) return undefined;
    return fix(`its point in time cannot be restored (${this.issue})`, {
      evidence: allLive({ remedy: 'delete', ...evidenceOf(this, situation), message: String(refused.message) }),
      approval: 'always',
      steps: [
        { kind: 'delete', target: targetOf(opReference, op), reason: 'delete the request; make it again with a time the backup covers' },
      ],
    });
  },
};
