import { type Duration, milliseconds } from '../../shared/duration.ts';
import { answerVerb } from '../answer.ts';
import { text, UsageError } from '../verb.ts';

export const verb = answerVerb({
  summary: 'put the plan of an incident off: nobody is asked before then, and it is looked at anew',
  usage: 'snooze ID [--for DURATION]',
  examples: ['kubemend snooze 3f2a9c1b07d4', 'kubemend snooze 3f2a --for 4h'],
  options: { for: { type: 'string', help: 'how long, at most 24h (default: 1h)' } },
  taken: 'Put off',
  word(call, { plan }) {
    const duration = text(call, 'for') ?? '1h';
    if (!/^\d+(\.\d+)?[smhd]$/.test(duration) || milliseconds(duration as Duration) > milliseconds('24h'))
      throw new UsageError(`--for takes a duration of at most 24h, as in --for 4h; not "${duration}"`);
    return { kind: 'snooze', hash: plan?.hash ?? '', by: call.environment.user, until: Date.now() + milliseconds(duration as Duration) };
  },
  hints: () => ['Only a plan that waits for approval can be put off.'],
});
