import { canonical } from './canonical.ts';
import { liveValues } from './evidence.ts';
import type { Examined } from './input.ts';
import { nameOf } from './kubernetes/object.ts';
import type { Plan } from './plan.ts';

const LONGEST = 120;

/** A value for people, not longer than a line. */
export const shown = (value: unknown): string => {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

/** What is different now from what a plan rested on, in words. */
export function difference(plan: Plan, { verdict, plan: found }: Pick<Examined, 'verdict' | 'plan'>): string {
  if (!found) return `the answer is now ${verdict.kind} (${verdict.because})`;
  const [before, now] = [liveValues(plan.evidence), liveValues(found.evidence)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const evidence = names.filter((name) => canonical(before[name]) !== canonical(now[name]));
  const steps = found.steps.filter((step, index) => canonical(step) !== canonical(plan.steps[index]));
  const lines = [
    ...evidence.map((name) => `${name} was ${shown(before[name])}, is ${shown(now[name])}`),
    ...steps.map(({ kind, target, reason }) => `it would now ${kind} ${nameOf(target)} (${reason})`),
    ...(found.steps.length < plan.steps.length ? [`it has ${found.steps.length} steps now, not ${plan.steps.length}`] : []),
  ];
  return lines.join('; ') || 'it would ask a person first now, or no more';
}
