import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #9170: Reconfiguring, Restart. */
export const betaReconfigure = reportOnly({
  issue: '#9170',
  affects: '1.0.0-beta.41 (also #9173)',
  because: 'Reconfiguring and Restart do not end in this version; why is not known',
  types: ['Reconfiguring', 'Restart'],
  phases: ['Running'],
  patience: '10m',
  found: (situation) => (runs(situation, '1.0.0-beta.41') ? {} : undefined),
  advice: ['When every pod has restarted, set spec.timeoutSeconds to 1', 'Upgrade to 1.0.1 or later'],
});
