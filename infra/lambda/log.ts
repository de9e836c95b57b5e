import type { Metric } from '../metrics.ts';

/** One structured log line. What is worth finding again stands in fields: incident, cluster, remediation, requestId. */
export interface Line {
  level: 'info' | 'warn' | 'error';
  message: string;
  [field: string]: unknown;
}

export type Log = (line: Line) => void;

/** Where Lambda takes a log from. */
export const toConsole: Log = (line) => console.log(JSON.stringify(line));

/** A metric in CloudWatch's embedded metric format: a log line that CloudWatch also counts. `dimensions` become fields; `milliseconds` is in ms, all others are counts. */
export function metricLine(
  dimensions: Record<string, string>,
  values: Partial<Record<Metric, number>>,
  now: number,
): Record<string, unknown> {
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: Name === 'milliseconds' ? 'Milliseconds' : 'Count' }));
  const _aws = { Timestamp: now, CloudWatchMetrics: [{ Namespace: 'kubemend', Dimensions: [Object.keys(dimensions)], Metrics }] };
  return { _aws, ...dimensions, ...values };
}
