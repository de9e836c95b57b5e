import { hasEnded } from '../../shared/incident.ts';
import { answerVerb } from '../answer.ts';

export const verb = answerVerb({
  summary: 'carry out the plan of an incident that ended, once more and as it is; refused with the difference if it holds no more',
  usage: 'retry ID [--within SECONDS]',
  examples: ['kubemend retry 3f2a9c1b07d4'],
  options: {},
  taken: 'Tried again',
  writes: ({ state, plan }) => (hasEnded(state) && plan ? 'fix' : undefined),
  word: ({ environment }, { plan }) => ({ kind: 'retry', hash: plan?.hash ?? '', by: environment.user }),
  during: ['executing'],
  reached: ({ state }) => !['refused', 'failed', 'executing'].includes(state),
  hints({ id, state, plan }) {
    if (!hasEnded(state)) return [`It has not ended. For a new plan: kubemend rerun ${id}; for the one it has: kubemend approve ${id}`];
    return [
      plan ? `A newer incident of this failure has another plan: kubemend explain ${id}` : `It has no plan. For one: kubemend rerun ${id}`,
    ];
  },
});
