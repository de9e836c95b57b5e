import type { IncidentChanged, IncidentState } from '../../events/incident-changed.ts';
import { allLive } from '../../shared/evidence.ts';

/** When the changes that tests make begin. */
export const EPOCH = Date.parse('2026-11-21T04:00:00.000Z');

/** The steps a made-up incident went through up to revision `n`. */
const LIFE: IncidentState[] = ['detected', 'planned', 'awaiting-approval', 'executing', 'applied', 'verified'];

/** The `n`-th change (from 1) in the life of the made-up incident `which`, as it is on the bus. */
export function change(
  which: number,
  n: number,
  { at = EPOCH + which * 10 + n * 1_000, because = 'it is so', record = {} as Record<string, unknown> } = {},
): IncidentChanged {
  const incident = (0xabc000000000 + which).toString(16);
  const state = LIFE[n - 1] ?? 'verified';
  const iso = (ms: number) => new Date(ms).toISOString();
  const hash = `${which}`.padStart(64, 'f');
  const object = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: `w-${which}` };
  const step = { kind: 'merge-patch', target: object, patch: { spec: { color: 'blue' } }, reason: 'red is an error' };
  const plan = {
    hash,
    because: 'the widget is red',
    evidence: allLive({ color: 'red' }),
    steps: [step],
    before: [{ '/spec/color': 'red' }],
    madeAt: at,
    expiresAt: at + 900_000,
  };
  return {
    ...{ id: `${incident}/${n}.0`, incident, cluster: 'prod', remediation: 'example/mend-widgets', title: 'Paint red widgets blue' },
    ...{ object, state, because, at: iso(at), detectedAt: iso(at - (n - 1) * 1_000), ...(n > 1 && { planHash: hash }) },
    record: {
      ...{ id: incident, state, cause: { issue: 'example/widgets#1', affects: 'all', because: 'red is an error' } },
      ...(n > 1 && { plan }),
      history: LIFE.slice(0, n).map((one, index) => ({ at: iso(at - (n - 1 - index) * 1_000), state: one, because })),
      ...record,
    },
  };
}
