import { reportOnly } from '../case.ts';
import { detailsOf, isReady, podsOf, runs } from '../situation.ts';

/** KubeBlocks #10529: any type. */
export const afterRollout = reportOnly({
  issue: '#10529',
  affects: 'the 1.1 line (also #10531, #10473): open upstream',
  because: 'after a Rollout, or after an upgrade to 1.1.0 while it ran, the operation does not count some pods',
  phases: ['Running'],
  patience: '30m',
  found(situation) {
    const touched = Object.keys(situation.op.status?.components ?? {});
    const uncounted = touched.flatMap((component) => {
      const listed = new Set(detailsOf(situation, component).map(({ objectKey }) => objectKey));
      const pods = podsOf(situation, component);
      if (listed.size === 0 || !pods.every(isReady)) return [];
      return pods.filter(({ metadata }) => !listed.has(`Pod/${metadata.name}`)).map(({ metadata }) => metadata.name);
    });
    const all = !['HorizontalScaling', 'RebuildInstance'].includes(situation.op.spec.type);
    return all && uncounted.length > 0 && runs(situation, '>=1.1.0-alpha.0') ? { uncounted } : undefined;
  },
  advice: ['When every pod is as it should be, set spec.timeoutSeconds to 1'],
});
