import { answerVerb } from '../answer.ts';
import { describePlan } from '../describe.ts';
import { text } from '../verb.ts';

export const verb = answerVerb({
  summary: 'approve the plan of an incident, as it is; it is proven again directly before writing',
  usage: 'approve ID [--plan HASH]',
  examples: ['kubemend approve 3f2a9c1b07d4', 'kubemend approve 3f2a --plan 81c0d2ee'],
  options: { plan: { type: 'string', help: 'approve only if the plan has this hash (or begins so)' } },
  taken: 'Approved',
  writes: ({ state }) => (state === 'awaiting-approval' ? 'fix' : undefined),
  word: (call, { plan }) => ({
    kind: 'approve',
    hash: plan?.hash.startsWith(text(call, 'plan') ?? '') ? plan.hash : '',
    by: call.environment.user,
  }),
  hints({ id, plan, state, remediation }, call) {
    if (plan && text(call, 'plan')) return describePlan(plan);
    if (state !== 'shadowed') return [];
    return [`It was planned in shadow mode. To let a person decide: kubemend mode ${remediation} approve, then kubemend rerun ${id}`];
  },
});
