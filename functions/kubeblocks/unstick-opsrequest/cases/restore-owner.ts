import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #8550: Restore. */
export const restoreOwner = reportOnly({
  issue: '#8550',
  affects: 'before 1.0.0',
  because: 'the restored Cluster is given an owner out of another scheme, which fails for ever',
  types: ['Restore'],
  phases: ['Creating'],
  patience: '10m',
  found: (situation) => (runs(situation, '>=1.0.0-alpha.0 <1.0.0') ? {} : undefined),
  advice: ['Upgrade KubeBlocks to 1.0.0', 'Delete the operation (it can be deleted while Creating) and make it again'],
});
