import { answerVerb } from '../answer.ts';
import { text } from '../verb.ts';

export const verb = answerVerb({
  summary: 'reject the plan of an incident: nothing is written, and it stays quiet for a day',
  usage: 'reject ID [--because TEXT]',
  examples: ['kubemend reject 3f2a9c1b07d4 --because "planned upgrade tonight"'],
  options: { because: { type: 'string', help: 'why, for the record' } },
  taken: 'Rejected',
  word: (call) => ({ kind: 'reject', by: call.environment.user, because: text(call, 'because') ?? 'no reason given' }),
});
