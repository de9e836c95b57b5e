import { answerVerb } from '../answer.ts';

export const verb = answerVerb({
  kind: 'approve',
  summary: 'approve the plan of an incident, as it is; it is proven again directly before writing',
  usage: 'approve ID [--plan HASH]',
  examples: ['kubemend approve 3f2a9c1b07d4', 'kubemend approve 3f2a --plan 81c0d2ee'],
  options: { plan: { type: 'string', help: 'approve only if the plan has this hash (or begins so)' } },
});
