import { reportOnly } from '../case.ts';
import { runs } from '../situation.ts';

/** KubeBlocks #7786: Stop, Start. */
export const stopWithoutReplicas = reportOnly({
  issue: '#7786',
  affects: '0.9.0 (also #7787); fixed in 0.9.1',
  because: 'the operation did not keep how many replicas there were, and waits for a number it does not know',
  types: ['Stop', 'Start'],
  phases: ['Running'],
  patience: '5m',
  found(situation) {
    const last = Object.entries(situation.op.status?.lastConfiguration?.components ?? {});
    const unknown = last.filter(([, { replicas }]) => replicas === undefined).map(([name]) => name);
    return unknown.length > 0 && runs(situation, '0.9.0') ? { components: unknown } : undefined;
  },
  advice: ['Upgrade to 0.9.1', 'When all pods are as they should be, set spec.timeoutSeconds to 1'],
});
