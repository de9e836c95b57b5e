import * as z from 'zod';
import { wait } from '../../../../shared/verdict.ts';
import { type Case, tell } from '../case.ts';
import { parentOf } from '../situation.ts';

const STATUS = 'apps.kubeblocks.io/replicas-status';
const replicas = z.looseObject({ status: z.array(z.looseObject({ name: z.string(), memberJoined: z.boolean().optional() })).optional() });

/** KubeBlocks #10522: HorizontalScaling. */
export const memberJoinFailed: Case = {
  issue: '#10522',
  affects: 'all versions: open upstream',
  because: 'the operation says Succeed although a new member could not join',
  types: ['HorizontalScaling'],
  phases: ['Succeed'],
  ask(situation) {
    const outside = (situation.op.spec.horizontalScaling ?? []).flatMap(({ componentName, scaleOut }) => {
      const annotations = scaleOut && situation.instanceSets.get(parentOf(situation, componentName))?.metadata.annotations;
      return annotations ? notJoined(annotations[STATUS]) : [];
    });
    if (outside.length === 0) return undefined;
    const since = situation.now - Date.parse(situation.op.status?.completionTimestamp ?? '');
    if (!(since > 300_000)) return wait(`${outside.join(', ')} has not joined yet`, '1m');
    const advice = [
      'Look for memberJoin in the log of the pod\u0027s kbagent container',
      'Let the member join with the database\u0027s own tool',
    ];
    return tell(this, situation, `it says Succeed, but ${outside.join(', ')} has not joined`, { outside }, advice);
  },
};

function notJoined(annotation: string | undefined): string[] {
  try {
    const { status = [] } = replicas.parse(JSON.parse(annotation ?? '{}'));
    return status.filter(({ memberJoined }) => memberJoined === false).map(({ name }) => name);
  } catch {
    return [];
  }
}
