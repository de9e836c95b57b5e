import { expect, it } from '@jest/globals';
import { attributeOf, type PackagedService, statementsOf } from './packaged-service.ts';

/** The resources of a template by logical id. */
export type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>;

interface Target {
  RetryPolicy?: { MaximumEventAgeInSeconds?: number; MaximumRetryAttempts?: number };
  DeadLetterConfig?: { Arn: unknown };
}

/** Why an event could get lost between a rule and its function: one sentence for each rule with a problem. */
export function problemsOf(resources: Resources): string[] {
  const rules = Object.values(resources).filter(({ Type }) => Type === 'AWS::Events::Rule');
  return rules.flatMap(({ Properties: { Name, EventPattern, Targets } }) => {
    const [{ RetryPolicy, DeadLetterConfig } = {}] = Targets as Target[];
    if ((RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400) > 3_600) return [`the rule ${Name} tries for longer than an hour`];
    if ((RetryPolicy?.MaximumRetryAttempts ?? 185) < 1) return [`the rule ${Name} does not try again`];
    const queue = DeadLetterConfig && attributeOf(DeadLetterConfig.Arn);
    if (queue === undefined || !resources[queue]) return [`the rule ${Name} has no dead-letter queue`];
    const rule = `:rule/${EventPattern ? `\${Bus}/` : ''}${Name}"`;
    const allowed = Object.values(resources)
      .filter(
        ({ Type, Properties }) =>
          Type === 'AWS::SQS::QueuePolicy' && JSON.stringify(Properties.Queues) === JSON.stringify([{ Ref: queue }]),
      )
      .flatMap(statementsOf)
      .some(({ Effect, Action, Principal, Condition, Resource }) => {
        const who = (Principal as { Service?: string }).Service === 'events.amazonaws.com';
        const what = Effect === 'Allow' && Action === 'sqs:SendMessage' && Resource !== undefined && attributeOf(Resource) === queue;
        return who && what && JSON.stringify(Condition).includes(rule);
      });
    return allowed ? [] : [`EventBridge may not write to ${queue}, the dead-letter queue of the rule ${Name}`];
  });
}

const otherRule = {
  PolicyDocument: {
    Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' }, Condition: {} }],
  },
};

/** The tests that no event gets lost between a rule and its function, and that they would notice. */
export function describeDeadLetters(packaged: () => PackagedService): void {
  it('gives every rule a dead-letter queue that EventBridge may write to, and an hour at most', () => {
    expect(problemsOf(packaged().resources)).toEqual([]);
  });

  it.each<[string, (resources: Resources, queue: string) => void, string]>([
    ['the policy of a dead-letter queue', (resources, queue) => delete resources[`${queue}Policy`], 'may not write to'],
    ['a dead-letter queue', (resources, queue) => delete resources[queue], 'has no dead-letter queue'],
    [
      'the rule in a policy',
      (resources, queue) => Object.assign(resources[`${queue}Policy`]?.Properties ?? {}, otherRule),
      'may not write to',
    ],
  ])('would notice if %s were missing', (_, remove, problem) => {
    const mutated = structuredClone(packaged().resources) as Resources;
    remove(mutated, 'StrimziDashupgradeDashstaleDashcrdsDeadLetters');
    expect(problemsOf(mutated)).toEqual([expect.stringContaining(problem)]);
  });
}
