import type { Rule } from '../../events/exporter/reduce/rules.ts';

/** A Writes Counted fact comes with every so many counted writes. */
export const STEP = 25;
/** The resource of what is counted, by the name that audit and rules have for it. Versions are those of ConfigMaps. */
export const COUNTED = 'secrets';
const WINDOW = 3_600;

/** Rules that match every numbered version of one namespace, and each `STEP` counted writes up to `steps` times that. */
export function lossRules(namespace: string, steps: number): Rule[] {
  const here = { group: [''], namespace: [namespace] };
  const numbered = { data: { n: [{ exists: true }] } };
  const changed = {
    source: ['kubernetes'],
    'detail-type': ['Object Changed'],
    detail: { object: { ...here, resource: ['configmaps'] }, $or: [{ current: numbered }, { change: ['deleted'] }] },
  };
  const counted = (writes: number) => ({
    source: ['kubernetes'],
    'detail-type': ['Writes Counted'],
    detail: {
      object: { ...here, resource: [COUNTED] },
      window: { seconds: [WINDOW] },
      // Exactly: so that a write which is lost or counted twice moves every later fact to another moment.
      writes: [{ numeric: ['=', writes] }],
    },
  });
  return [
    { name: 'every numbered version', pattern: changed },
    ...Array.from({ length: steps }, (_, i) => ({ name: `${(i + 1) * STEP} writes`, pattern: counted((i + 1) * STEP) })),
  ];
}
