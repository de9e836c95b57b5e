import { answerVerb } from '../answer.ts';

export const verb = answerVerb({
  summary: 'look at a failure again now, and make a new plan; one that ended is followed by a new incident',
  usage: 'rerun ID [--within SECONDS]',
  examples: ['kubemend rerun 3f2a9c1b07d4', 'kubemend rerun 3f2a --json | jq .state'],
  options: {},
  taken: 'Asked again',
  word: ({ environment }) => ({ kind: 'rerun', by: environment.user }),
  during: ['detected'],
  hints: () => ['It is being written or verified now. What comes of it: kubemend explain ID'],
});
