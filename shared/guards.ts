import { milliseconds } from './duration.ts';
import type { Incident } from './incident.ts';
import type { Mode } from './input.ts';
import { nameOf } from './kubernetes/object.ts';
import { keyOf } from './open.ts';
import type { Plan } from './plan.ts';
import type { Remediation } from './remediation.ts';
import { OVERALL, objectScope, remediationScope } from './state/scope.ts';
import type { State } from './state/state.ts';

/** The strictest first. */
export const MODES: readonly string[] = ['shadow', 'approve', 'auto'];

/** The mode of a remediation in a namespace. Whatever is not set, or set to something unknown, is shadow. */
export async function modeOf(state: State, remediation: string, namespace: string | undefined): Promise<Mode> {
  const inNamespace = namespace && (await state.setting(`mode/${remediation}/${namespace}`));
  const mode = inNamespace || (await state.setting(`mode/${remediation}`)) || 'shadow';
  return MODES.includes(mode) ? (mode as Mode) : 'shadow';
}

/**
 * The mode that decides about a plan of an incident: the strictest of the modes of the namespaces that it concerns, the subject's and every
 * target's. A target without a namespace concerns all of them: the remediation-wide mode counts. Every decision asks this function.
 */
export async function effectiveMode(
  state: State,
  incident: Pick<Incident, 'remediation' | 'object'>,
  plan: Plan | undefined,
): Promise<Mode> {
  const { remediation, object } = incident;
  const namespaces = new Set([object.namespace, ...(plan?.steps ?? []).map(({ target }) => target.namespace)]);
  const modes = await Promise.all([...namespaces].map((namespace) => modeOf(state, remediation, namespace)));
  return modes.reduce((one, other) => (MODES.indexOf(other) < MODES.indexOf(one) ? other : one));
}

/** Says that kubemend is paused, altogether or for one remediation, and how that ends. */
export async function pausedBy(state: State, remediation: string): Promise<string | undefined> {
  if ((await state.setting('paused')) !== undefined) return 'kubemend is paused. To go on, run: kubemend resume';
  if ((await state.setting(`paused/${remediation}`)) === undefined) return undefined;
  return `kubemend is paused for ${remediation}. To go on, run: kubemend resume ${remediation}`;
}

/** Says why nothing may be written now, if a person switched it off since the plan was prepared. Shadow begins nothing; the way back is no beginning, and a person's own word. */
export async function switchedOff(state: State, incident: Incident): Promise<string | undefined> {
  const paused = await pausedBy(state, incident.remediation);
  if (paused || incident.state === 'undoing') return paused;
  return (await effectiveMode(state, incident, incident.plan)) === 'shadow' ? 'the mode is shadow again' : undefined;
}

/** The objects that budgets and breakers count: the subject, and each target of the plan, which other subjects may share. By scope, with a name for people. */
export function countedObjects({ cluster, remediation, key }: Incident, plan: Plan | undefined): Map<string, string> {
  const targets = (plan?.steps ?? []).map(({ target }) => [objectScope(keyOf(cluster, target, remediation)), nameOf(target)] as const);
  return new Map([...targets, [objectScope(key), 'this object']]);
}

/** The scopes that budgets and breakers count in, the narrowest first. */
function scopesOf(incident: Incident, { limits }: Remediation, plan: Plan | undefined) {
  const { cluster, remediation } = incident;
  const objects = [...countedObjects(incident, plan)].map(([scope, what]) => ({ scope, what }));
  return [
    ...objects.reverse().map((object) => ({ ...object, breaker: limits.breakers.object, budget: limits.perObject })),
    {
      scope: remediationScope(remediation, cluster),
      what: `${remediation} in ${cluster}`,
      breaker: limits.breakers.remediation,
      budget: limits.perRemediation,
    },
    { scope: OVERALL, what: 'kubemend', breaker: limits.breakers.overall, budget: limits.overall },
  ];
}

/** Says which breaker is open, if one is. A person closes it with `kubemend resume`. */
export async function openBreaker(
  state: State,
  incident: Incident,
  remediation: Remediation,
  plan = incident.plan,
): Promise<string | undefined> {
  for (const { scope, what, breaker } of scopesOf(incident, remediation, plan)) {
    const n = await state.tallied(scope);
    if (n >= breaker)
      return `the breaker of ${what} is open: ${n} fixes did not help. Look at them, then run: kubemend resume ${remediation.name}`;
  }
  return undefined;
}

/** Counts a fix that did not help against every breaker. */
export async function countIneffective(state: State, incident: Incident, remediation: Remediation): Promise<void> {
  for (const { scope } of scopesOf(incident, remediation, incident.plan)) await state.tally(scope, incident.id);
}

/** Spends one execution of every budget for a plan; says which one is spent, if one is. Asking again for the same plan spends nothing. */
export async function spendBudgets(
  state: State,
  incident: Incident,
  remediation: Remediation,
  plan: Plan,
  now: number,
): Promise<string | undefined> {
  const execution = `${incident.id}/${plan.hash}`;
  for (const { scope, what, budget } of scopesOf(incident, remediation, plan)) {
    const spending = { scope, execution, at: now, since: now - milliseconds(budget.within), limit: budget.executions };
    if (!(await state.spend(spending))) return `the budget of ${what} is spent: ${budget.executions} in ${budget.within}`;
  }
  return undefined;
}
