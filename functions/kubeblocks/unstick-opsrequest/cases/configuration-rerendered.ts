import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #8718: VerticalScaling. */
export const configurationRerendered = reportOnly({
  issue: '#8718',
  affects: 'the betas of 1.0.0; fixed in 1.0.0',
  because: 'a configuration that is rendered again overwrites the annotations the operation waits for',
  types: ['VerticalScaling'],
  phases: ['Running'],
  patience: '15m',
  found: (situation) => (runs(situation, '>=1.0.0-alpha.0 <1.0.0') ? {} : undefined),
  advice: ['Upgrade to 1.0.0', 'When every pod has the new resources, set spec.timeoutSeconds to 1; do not cancel, that takes them back'],
});
