import { statementsOf } from './packaged-service.ts';
import type { Resources } from './template-dead-letters.ts';
import { idsIn, resolvedOf } from './template-values.ts';

const HOUR = 3_600;
/** A cluster or a table may be away for that long before a look is given up, seconds. */
const OUTAGE = 2 * HOUR;

interface Lambda {
  FunctionName: string;
  Role: string;
  Timeout: number;
  ReservedConcurrentExecutions: number;
}
interface Queue {
  VisibilityTimeout: number;
  MessageRetentionPeriod: number;
  RedrivePolicy?: { deadLetterTargetArn: string; maxReceiveCount: number };
}
interface InvokeConfig {
  FunctionName?: string;
  MaximumRetryAttempts?: number;
  MaximumEventAgeInSeconds?: number;
  DestinationConfig?: { OnFailure?: unknown };
}
interface Mapping {
  FunctionName: string;
  EventSourceArn: string;
  FunctionResponseTypes?: string[];
  ScalingConfig?: { MaximumConcurrency: number };
}

/** Numbers that only make sense together: who waits for whom, how often and how long something is tried. One sentence for each that does not. */
export function problemsOfRelations(resources: Resources): string[] {
  const lambdas = new Map(resolvedOf<Lambda>(resources, 'AWS::Lambda::Function'));
  const queues = new Map(resolvedOf<Queue>(resources, 'AWS::SQS::Queue'));
  const problems: (string | false)[] = [...retries(resources)];
  for (const { FunctionName, Role, Timeout } of lambdas.values())
    for (const id of invokedBy(resources, Role)) {
      const invoked = lambdas.get(id);
      problems.push(
        !(invoked && Timeout > invoked.Timeout) && `${FunctionName} waits for ${id}, which may work longer than it (${Timeout} s)`,
      );
    }
  for (const [, mapping] of resolvedOf<Mapping>(resources, 'AWS::Lambda::EventSourceMapping')) {
    const [queueId = '', lambdaId = ''] = [...idsIn(mapping.EventSourceArn), ...idsIn(mapping.FunctionName)];
    const [queue, lambda] = [queues.get(queueId), lambdas.get(lambdaId)];
    if (!queue || !lambda) return [`${queueId} or ${lambdaId} does not exist`];
    const { VisibilityTimeout: again, MessageRetentionPeriod: kept, RedrivePolicy } = queue;
    const tried = (RedrivePolicy?.maxReceiveCount ?? 0) * again;
    const together = mapping.ScalingConfig?.MaximumConcurrency ?? Number.POSITIVE_INFINITY;
    problems.push(
      again <= lambda.Timeout && `A message of ${queueId} comes again while ${lambdaId} still works on it`,
      tried < OUTAGE && `A message of ${queueId} is given up after ${tried} s`,
      tried >= kept && `A message of ${queueId} is forgotten before it is given up`,
      !queues.has(idsIn(RedrivePolicy?.deadLetterTargetArn)[0] ?? '') && `${queueId} has no dead-letter queue`,
      together >= lambda.ReservedConcurrentExecutions && `${queueId} may take all the concurrency of ${lambdaId}: its clock has none left`,
      !mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') && `One failed message of ${queueId} repeats the whole batch`,
    );
  }
  return problems.filter((problem) => problem !== false);
}

/** The functions that a role may invoke. */
const invokedBy = (resources: Resources, role: string): string[] =>
  resolvedOf(resources, 'AWS::IAM::Role')
    .filter(([id]) => id === idsIn(role)[0])
    .flatMap(([, { Policies }]) => statementsOf(Policies))
    .filter(({ Action }) => [Action].flat().includes('lambda:InvokeFunction'))
    .flatMap(({ Resource }) => idsIn(Resource));

/** Lambda's own retries of what a rule handed over: more than none, and within the hour. */
function retries(resources: Resources): string[] {
  const configs = resolvedOf<InvokeConfig>(resources, 'AWS::Lambda::EventInvokeConfig');
  const rules = resolvedOf<{ Targets: { Arn: string }[] }>(resources, 'AWS::Events::Rule');
  const targets = rules.flatMap(([, { Targets }]) => Targets.map(({ Arn }) => Arn));
  return [...new Set(targets.flatMap(idsIn))].flatMap((id) => {
    const config = configs.find(([, { FunctionName }]) => idsIn(FunctionName)[0] === id)?.[1];
    const { MaximumRetryAttempts: times = 2, MaximumEventAgeInSeconds: age = 6 * HOUR, DestinationConfig } = config ?? {};
    if (times < 1) return [`Lambda does not try ${id} again`];
    if (age > HOUR) return [`Lambda tries ${id} for longer than an hour`];
    return DestinationConfig?.OnFailure ? [] : [`What ${id} fails at is lost`];
  });
}
