import { expect, it } from '@jest/globals';
import { METRICS } from '../infra/metrics.ts';
import type { Remediation } from '../shared/remediation.ts';
import { attributeOf, type PackagedService, statementsOf } from './packaged-service.ts';

/** Metrics of AWS that are asked for, with the dimension they are kept by; from the services' own documentation. */
const OF_AWS: Record<string, Record<string, string>> = {
  'AWS/Lambda': { Errors: 'FunctionName', Throttles: 'FunctionName', Duration: 'FunctionName' },
  'AWS/SQS': { ApproximateNumberOfMessagesVisible: 'QueueName', ApproximateAgeOfOldestMessage: 'QueueName' },
  'AWS/Events': { MatchedEvents: 'EventBusName' },
};

interface Asked {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: unknown }[];
}
interface Alarm extends Partial<Asked> {
  Metrics?: { Id: string; Expression?: string; MetricStat?: { Metric: Asked } }[];
  [property: string]: unknown;
}

/** Why a metric is nobody's; undefined where it exists. */
function problemOf({ Namespace, MetricName, Dimensions }: Asked): string | undefined {
  const names = Dimensions.map(({ Name }) => Name).sort();
  const known =
    Namespace === 'kubemend'
      ? [...((METRICS as Record<string, readonly string[]>)[MetricName] ?? [])].sort()
      : [OF_AWS[Namespace]?.[MetricName]];
  return JSON.stringify(names) === JSON.stringify(known) ? undefined : `${Namespace} has no ${MetricName} by ${names.join(' and ')}`;
}

const metricsOf = ({ Metrics, Namespace, MetricName, Dimensions }: Alarm): Asked[] =>
  Metrics
    ? Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])
    : [{ Namespace: Namespace ?? '', MetricName: MetricName ?? '', Dimensions: Dimensions ?? [] }];

/** The tests of what somebody is told of, and of the bus. */
export function describeAlarms(packaged: () => { service: PackagedService; remediations: Remediation[] }): void {
  const alarms = () => packaged().service.ofType('AWS::CloudWatch::Alarm') as [string, Alarm][];
  const about = (name: string) =>
    alarms()
      .filter(([, { MetricName }]) => MetricName === name)
      .map(([, { Dimensions: [{ Value } = { Value: {} }] = [] }]) => (Value as { Ref?: string }).Ref ?? attributeOf(Value));

  it('has an alarm on every dead-letter queue, and on errors and throttles of every function', () => {
    const { service } = packaged();
    const queues = service.ofType('AWS::SQS::Queue').map(([id]) => id);
    const dead = queues.filter((id) => id.endsWith('DeadLetters'));
    expect(dead).toHaveLength(queues.length - 1);
    expect(about('ApproximateNumberOfMessagesVisible').sort()).toEqual(dead.sort());
    const functions = service.ofType('AWS::Lambda::Function').map(([id]) => id);
    expect(about('Errors').sort()).toEqual(functions.sort());
    expect(about('Throttles').sort()).toEqual(functions.sort());
    expect(about('ApproximateAgeOfOldestMessage')).toEqual(['Appointments']);
  });

  it('asks only for metrics that exist: of AWS, or those that the functions count', () => {
    expect(
      alarms().flatMap(([id, alarm]) =>
        metricsOf(alarm)
          .flatMap((metric) => problemOf(metric) ?? [])
          .map((problem) => `${id}: ${problem}`),
      ),
    ).toEqual([]);
    expect(problemOf({ Namespace: 'kubemend', MetricName: 'breakerOpend', Dimensions: [{ Name: 'remediation', Value: '' }] })).toMatch(
      /has no breakerOpend/,
    );
    expect(problemOf({ Namespace: 'kubemend', MetricName: 'incidentChanged', Dimensions: [{ Name: 'state', Value: '' }] })).toMatch(
      /by state/,
    );
  });

  it.each([
    ['IncidentsFailed', 'incidentChanged', 'failed'],
    ['IncidentsIneffective', 'incidentChanged', 'ineffective'],
    ['BreakerOpened', 'breakerOpened', undefined],
  ])('%s is about every remediation', (id, metric, state) => {
    const { service, remediations } = packaged();
    const alarm = service.resources[id]?.Properties as Alarm;
    const asked = metricsOf(alarm).map(({ MetricName, Dimensions }) => [MetricName, ...Dimensions.map(({ Value }) => Value)]);
    expect(asked).toEqual(remediations.map(({ name }) => [metric, name, ...(state ? [state] : [])]));
    const [total, ...parts] = alarm.Metrics ?? [];
    expect(total?.Expression?.match(/m\d+/g)).toEqual(parts.map(({ Id }) => Id));
  });

  it('shows on its dashboard only what exists', () => {
    const { service } = packaged();
    const [[, dashboard = {}] = []] = service.ofType('AWS::CloudWatch::Dashboard');
    const body = (dashboard.DashboardBody as { 'Fn::Sub': string })['Fn::Sub'];
    const { widgets } = JSON.parse(body) as { widgets: { properties: { metrics: (string | { expression: string })[][] } }[] };
    const names = Object.values(service.resources).flatMap(({ Properties }) =>
      Object.values(Properties ?? {}).filter((one) => typeof one === 'string'),
    );
    for (const [first, MetricName = '', Name = '', Value] of widgets.flatMap(({ properties }) => properties.metrics)) {
      if (typeof first === 'object') {
        const [, dimensions = '', metric = ''] = /^SEARCH\('\{kubemend,([\w,]+)\} MetricName="(\w+)"'/.exec(first.expression) ?? [];
        expect([metric, dimensions.split(',').sort()]).toEqual([metric, [...(METRICS[metric as keyof typeof METRICS] ?? [])].sort()]);
        continue;
      }
      expect(problemOf({ Namespace: first ?? '', MetricName: `${MetricName}`, Dimensions: [{ Name: `${Name}`, Value }] })).toBeUndefined();
      expect(names).toContain(Value);
    }
  });

  it('keeps what was on the bus for a month, and lets nobody but the functions tell outcomes', () => {
    const { service, remediations } = packaged();
    const [[, archive] = []] = service.ofType('AWS::Events::Archive');
    expect(archive).toMatchObject({ SourceArn: { 'Fn::GetAtt': ['Bus', 'Arn'] }, RetentionDays: 30 });
    const policies = service.ofType('AWS::Events::EventBusPolicy').map(([, { Statement }]) => Statement as Record<string, unknown>);
    expect(policies).toHaveLength(1);
    expect(policies[0]).toMatchObject({
      Effect: 'Deny',
      Principal: '*',
      Action: 'events:PutEvents',
      Resource: { 'Fn::GetAtt': ['Bus', 'Arn'] },
    });
    const [{ Condition } = { Condition: {} }] = policies;
    const { ArnNotEquals } = Condition as { ArnNotEquals: Record<string, unknown[]> };
    const tellers = service
      .ofType('AWS::IAM::Role')
      .filter(([, { Policies }]) => statementsOf(Policies).some(({ Action }) => [Action].flat().includes('events:PutEvents')))
      .map(([id]) => id);
    expect(tellers).toHaveLength(remediations.length);
    expect(ArnNotEquals['aws:PrincipalArn']?.map(attributeOf)).toEqual(tellers);
  });
}
