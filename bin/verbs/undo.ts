import { answerVerb } from '../answer.ts';

export const verb = answerVerb({
  summary: 'write back what was there before, while the live fields still equal what was written; else show the difference',
  usage: 'undo ID [--within SECONDS]',
  examples: ['kubemend undo 3f2a9c1b07d4'],
  options: {},
  taken: 'Undo',
  writes: ({ execution }) => (execution ? 'undo' : undefined),
  word: ({ environment }) => ({ kind: 'undo', by: environment.user }),
  during: ['undoing'],
  reached: ({ state }) => state === 'undone',
  hints: ({ state }) => [
    state === 'undone' ? 'It is undone already.' : 'It wrote nothing, or is writing now. What it wrote: kubemend explain ID',
  ],
});
