import { reportOnly } from '../case.ts';
import { mayRun } from '../situation.ts';

/** KubeBlocks #10133: any type. */
export const accountPassword = reportOnly({
  issue: '#10133',
  affects: 'up to 1.0.2 and 1.1.0-beta.5; fixed in 1.0.3-beta.5 and 1.1.0-beta.6',
  because: 'rewriting the Cluster drops the password reference of a system account of a sharding (Redis Cluster)',
  phases: ['Running'],
  patience: '15m',
  found(situation) {
    const { op, shardings } = situation;
    const touched = Object.keys(op.status?.components ?? {});
    const hit = shardings.find(
      ({ name, template }) =>
        touched.includes(name) && template.systemAccounts?.length && !template.systemAccounts.some(({ secretRef }) => secretRef),
    );
    const redis = /redis/.test(hit?.template.componentDef ?? '');
    return hit && redis && mayRun(situation, '<1.0.3-beta.5 || >=1.1.0-alpha.0 <1.1.0-beta.6') ? { sharding: hit.name } : undefined;
  },
  advice: ['Put the secretRef of the account back into the Cluster', 'Upgrade to 1.0.3 or later'],
});
