import type { Json } from '../../../shared/canonical.ts';
import { clear, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { lastPodOnline } from './cases/last-pod-online.ts';
import type { Situation } from './situation.ts';
import { stuckOnline } from './stuck-online.ts';

/** The fourth question: did the fix end the operation as it should? `fixed` are the live values that the plan rested on. */
export async function verify(situation: Situation, fixed: Record<string, Json>): Promise<Verdict> {
  const { phase, op } = situation;
  const ended = (good: string[], otherwise: Verdict): Verdict =>
    good.includes(phase) ? clear(`the operation ended: ${phase}`) : isEnd(phase) ? report(`the operation ended as ${phase}`) : otherwise;
  switch (fixed.remedy) {
    case 'raise replicas': {
      // Somebody lowered the replicas again: the same fix would be needed.
      if (phase === 'Running' && stuckOnline(situation).length > 0) {
        const again = await lastPodOnline.ask(situation);
        if (again) return again;
      }
      const missing = (fixed.missing as string[]).filter((pod) => !situation.pods.has(pod));
      if (phase === 'Succeed' && missing.length > 0) return report(`it ended, but ${missing.join(', ')} does not exist`);
      return ended(['Succeed'], wait(`waits for ${(fixed.missing as string[]).join(', ')} to become ready`, '2s'));
    }
    case 'abort':
      return ended(['Aborted', 'Succeed', 'Cancelled', 'Failed'], wait('the controller has not aborted it yet', '1s'));
    case 'delete':
      return wait(op.metadata.deletionTimestamp ? 'its finalizer is being handled' : 'it is still there', '1s');
    default:
      return ended(['Succeed'], wait(`${op.spec.type} goes on`, '10s'));
  }
}

const isEnd = (phase: string): boolean => ['Succeed', 'Failed', 'Cancelled', 'Aborted'].includes(phase);
