import type { Resources } from './template-dead-letters.ts';
import { resolvedOf } from './template-values.ts';

interface Failure {
  /** What the metric shows in a period with the failure, and in one without: a number that is not there is 0. */
  bad: number;
  good: number;
  /** The failure goes on for as long as the alarm asks; otherwise one period must be enough. */
  lasts?: true;
  statistic: 'Sum' | 'Maximum';
}
/** By metric. A look may stand in the queue for 15 minutes, its longest delay. */
const FAILURES: Record<string, Failure> = {
  Errors: { bad: 1, good: 0, lasts: true, statistic: 'Sum' },
  Throttles: { bad: 1, good: 0, lasts: true, statistic: 'Sum' },
  ApproximateNumberOfMessagesVisible: { bad: 1, good: 0, statistic: 'Maximum' },
  ApproximateAgeOfOldestMessage: { bad: 3_600, good: 15 * 60, statistic: 'Maximum' },
  notHandedOn: { bad: 1, good: 0, lasts: true, statistic: 'Sum' },
  incidentChanged: { bad: 1, good: 0, statistic: 'Sum' },
  breakerOpened: { bad: 1, good: 0, statistic: 'Sum' },
};

interface Part {
  Id: string;
  Expression?: string;
  ReturnData: boolean;
  MetricStat?: { Metric: { MetricName: string }; Period: number; Stat: string };
}
interface Alarm {
  MetricName?: string;
  Statistic?: string;
  Period?: number;
  Metrics?: Part[];
  ComparisonOperator: string;
  Threshold: number;
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  TreatMissingData?: string;
  ActionsEnabled?: boolean;
}

/** Every alarm fires when what it is about happens, within the hour, and is silent otherwise: one sentence for each that does not. */
export function problemsOfFiring(resources: Resources): string[] {
  return resolvedOf<Alarm>(resources, 'AWS::CloudWatch::Alarm').flatMap(([id, alarm]) => {
    const asked = alarm.Metrics?.flatMap(({ MetricStat }) => MetricStat ?? []).map(({ Metric, Period, Stat }) => [
      Metric.MetricName,
      Period,
      Stat,
    ]);
    return [...new Set((asked ?? [[alarm.MetricName, alarm.Period, alarm.Statistic]]).map((one) => JSON.stringify(one)))].flatMap((one) => {
      const [name, period, statistic] = JSON.parse(one) as [string, number, string];
      const failure = FAILURES[name];
      if (!failure) return [`${id} is about ${name}, of which test/template-firing.ts does not know when it is bad`];
      const { EvaluationPeriods: periods, DatapointsToAlarm: enough = periods, TreatMissingData: missing, ActionsEnabled = true } = alarm;
      const problems: [boolean, string][] = [
        [shown(alarm, failure.bad).some((value) => !isOver(alarm, value)), `${id} does not fire at ${failure.bad}`],
        [shown(alarm, failure.good).some((value) => isOver(alarm, value)), `${id} fires at ${failure.good}`],
        [missing !== 'notBreaching', `${id} fires, or does not end, where nothing is counted`],
        [enough > periods || (!failure.lasts && periods !== 1), `${id} does not fire when it happens once`],
        [period * periods > 3_600, `${id} looks further back than an hour`],
        [statistic !== failure.statistic, `${id} takes the ${statistic} of ${name}`],
        [!ActionsEnabled, `${id} tells nobody`],
      ];
      return problems.flatMap(([is, problem]) => (is ? [problem] : []));
    });
  });
}

/** What the alarm compares when its metric shows `value`; of several metrics, when each in turn does and the others are not there. */
function shown({ Metrics }: Alarm, value: number): number[] {
  if (!Metrics) return [value];
  const [total, ...others] = Metrics.filter(({ ReturnData }) => ReturnData).map(({ Expression }) => Expression ?? '');
  if (total === undefined || others.length > 0) return [Number.NaN];
  const parts = Metrics.filter(({ MetricStat }) => MetricStat).map(({ Id }) => Id);
  return parts.map((part) =>
    total.split(' + ').reduce((sum, term) => {
      const [, metric, absent] = /^FILL\((\w+), (\d+)\)$/.exec(term) ?? [];
      return sum + (metric === part ? value : Number(absent ?? Number.NaN));
    }, 0),
  );
}

function isOver({ ComparisonOperator, Threshold }: Alarm, value: number): boolean {
  if (ComparisonOperator === 'GreaterThanThreshold') return value > Threshold;
  if (ComparisonOperator === 'GreaterThanOrEqualToThreshold') return value >= Threshold;
  return ComparisonOperator === 'LessThanThreshold' ? value < Threshold : value <= Threshold;
}
