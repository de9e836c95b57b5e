import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #7460: VolumeExpansion. */
export const volumeExpansion = reportOnly({
  issue: '#7460',
  affects: '0.8; fixed in 0.9.0',
  because: 'the capacity is compared for equality, and storage may round it up',
  types: ['VolumeExpansion'],
  phases: ['Running'],
  patience: '15m',
  found: (situation) => (runs(situation, '<0.9.0') ? {} : undefined),
  advice: ['When status.capacity of every claim is at least what was asked for, nothing is left to do', 'Upgrade to 0.9.0'],
});
