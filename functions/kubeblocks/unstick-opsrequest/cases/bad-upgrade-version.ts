import valid from 'semver/functions/valid.js';
import { reportOnly } from '../case.ts';

/** KubeBlocks #10461: Upgrade. */
export const badUpgradeVersion = reportOnly({
  issue: '#10461',
  affects: 'all versions: the fix of 2026-06 is in no release seen',
  because:
    'a version that is not of the form 1.2.3 is an error that is tried again for ever; its timeout is never reached and it cannot be deleted',
  types: ['Upgrade'],
  phases: ['Running'],
  patience: '3m',
  found({ op, components }) {
    const bad = (op.spec.upgrade?.components ?? []).filter(
      ({ componentName, serviceVersion }) =>
        serviceVersion &&
        !valid(serviceVersion) &&
        components.find(({ name }) => name === componentName)?.serviceVersion !== serviceVersion,
    );
    return bad.length > 0 ? { versions: bad.map(({ serviceVersion = '' }) => serviceVersion) } : undefined;
  },
  advice: [
    'Delete the operation, then remove its finalizer by hand: kubectl patch opsrequest NAME --type merge -p \u0027{"metadata":{"finalizers":null}}\u0027',
    'Ask again with all three parts of the version, such as 17.5.0',
  ],
});
