import type { Incident } from './incident.ts';

/** What became of one plan that kubemend would have carried out, or did. `open`: nobody knows yet, or nobody answered. */
export type Judgement = 'confirmed' | 'by-itself' | 'wrong' | 'open';

/** The record of a remediation, in one namespace or (undefined) in all. */
export interface Record {
  remediation: string;
  namespace?: string;
  /** Failures with a plan that was confirmed by the second question: in shadow it would have been written. */
  fired: number;
  confirmed: number;
  byItself: number;
  wrong: number;
  open: number;
  /** Of what was judged, the part that was confirmed, with its 95 % interval (Wilson); absent while nothing is judged. */
  precision?: { value: number; low: number; high: number };
}

/** `auto` is for a remediation that is right at least this often, with 97.5 % certainty: 12 of 12, 20 of 21, 27 of 29. */
export const ENOUGH = 0.75;

/** Judges one incident; undefined when it never came to a confirmed plan. */
export function judge({ state, history, byHand, retry }: Incident): Judgement | undefined {
  if (!history.some((entry) => ['shadowed', 'awaiting-approval', 'executing'].includes(entry.state))) return undefined;
  // A person wanted the plan of the incident before again, and nothing came of it: that says nothing new about the plan.
  if (retry && state === 'refused') return undefined;
  const rejected = history.some((entry) => entry.state === 'refused' && entry.by !== undefined);
  if (rejected || ['undone', 'ineffective', 'reverted'].includes(state)) return 'wrong';
  const approved = history.some((entry) => entry.state === 'executing' && entry.by !== undefined);
  if (approved || byHand || state === 'verified') return 'confirmed';
  return state === 'resolved' ? 'by-itself' : 'open';
}

/** From the one that says least against a remediation to the one that says most. The state database stores the index: append only. */
export const SEVERITIES: readonly Judgement[] = ['open', 'confirmed', 'by-itself', 'wrong'];

/**
 * One judgement for each failure. What a person had done again (`rerun`, `retry`) belongs to the failure it began with, which counts once, as the worst
 * of its incidents: else one fix, asked for twelve times, would be twelve of twelve, and a wrong plan would be washed away by a retry.
 */
function judgements(incidents: Incident[]): { incident: Incident; judgement: Judgement }[] {
  const byId = new Map(incidents.map((incident) => [incident.id, incident]));
  const failures = new Map<string, { incident: Incident; judgement: Judgement }>();
  for (const incident of incidents) {
    const judgement = judge(incident);
    if (!judgement) continue;
    let first = incident.id;
    // An incident that was forgotten in the meantime still is the beginning of what followed it.
    for (let after = incident.after; after !== undefined; after = byId.get(after)?.after) first = after;
    const known = failures.get(first);
    if (!known || SEVERITIES.indexOf(judgement) > SEVERITIES.indexOf(known.judgement)) failures.set(first, { incident, judgement });
  }
  return [...failures.values()];
}

/** How many failures of one remediation in one namespace were judged alike. */
export interface FailureCount {
  remediation: string;
  /** Absent: the object is in no namespace. */
  namespace?: string | undefined;
  judgement: Judgement;
  n: number;
}

/** The records of all remediations that fired, derived from all their incidents. */
export const recordsOf = (incidents: Incident[]): Record[] =>
  recordsFrom(
    judgements(incidents).map(({ incident, judgement }) => {
      const { remediation, object } = incident;
      return { remediation, namespace: object.namespace, judgement, n: 1 };
    }),
  );

/** The records of all remediations that fired: one for each, and one for each of its namespaces. */
export function recordsFrom(counts: FailureCount[]): Record[] {
  const groups = new Map<string, { remediation: string; namespace?: string; counts: FailureCount[] }>();
  for (const counted of counts) {
    const { remediation } = counted;
    for (const namespace of new Set([undefined, counted.namespace])) {
      const key = `${remediation} ${namespace ?? ''}`;
      const group = groups.get(key) ?? { remediation, ...(namespace !== undefined && { namespace }), counts: [] };
      group.counts.push(counted);
      groups.set(key, group);
    }
  }
  const sorted = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, { counts: own, ...group }]) => ({ ...group, ...total(own) }));
}

function total(counts: FailureCount[]): Omit<Record, 'remediation' | 'namespace'> {
  const of = (judgement: Judgement): number => counts.reduce((sum, one) => sum + (one.judgement === judgement ? one.n : 0), 0);
  const [confirmed, byItself, wrong, open] = [of('confirmed'), of('by-itself'), of('wrong'), of('open')];
  const judged = confirmed + byItself + wrong;
  const precision = judged > 0 && { precision: { value: confirmed / judged, ...wilson(confirmed, judged) } };
  return { fired: judged + open, confirmed, byItself, wrong, open, ...precision };
}

/** The Wilson score interval of `right` of `all`, at 95 %. Unlike right/all ± something it is sound for few and for none wrong. */
export function wilson(right: number, all: number, z = 1.96): { low: number; high: number } {
  const p = right / all;
  const centre = p + z ** 2 / (2 * all);
  const spread = z * Math.sqrt((p * (1 - p)) / all + z ** 2 / (4 * all ** 2));
  const scale = 1 + z ** 2 / all;
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

/** Why a remediation should not run in `auto` yet, in one sentence; undefined when nothing speaks against it. */
export function againstAuto(records: Record[], remediation: string, namespace?: string): string | undefined {
  const record = records.find((one) => one.remediation === remediation && one.namespace === namespace);
  const where = `${remediation}${namespace ? ` in ${namespace}` : ''}`;
  const { precision, confirmed = 0, byItself = 0, wrong = 0 } = record ?? {};
  if (precision && precision.low >= ENOUGH) return undefined;
  const seen = precision
    ? `${confirmed} of ${confirmed + byItself + wrong} plans were confirmed (at least ${percent(precision.low)} right)`
    : 'no plan was judged yet';
  return `${where}: ${seen}; auto is for at least ${percent(ENOUGH)}, as with 12 of 12`;
}

/** `85 %` */
export const percent = (share: number): string => `${Math.floor(share * 100)} %`;
