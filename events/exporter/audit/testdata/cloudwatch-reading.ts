import { setTimeout as delay } from 'node:timers/promises';
import { type AuditCloudwatchOptions, auditCloudwatch } from '../audit-cloudwatch.ts';
import type { AuditSourceContext } from '../audit-source.ts';
import { type AuditReading, auditLine, eventually, readAudit, secondsAfter } from './audit-reading.ts';
import { type Behaviour, type LogGroup, type Stored, startLogGroup } from './log-group.ts';

/** The exporter's clock at the start: an hour after 10:00. It moves by what is waited for. */
export const START = 3_600;

/** Local log groups and readers of them, on one clock. */
export interface Cloudwatch {
  /** The clock, in milliseconds. */
  time: number;
  group(stored: Stored[], behaviour?: Partial<Behaviour>): Promise<LogGroup>;
  read(group: LogGroup, saved?: unknown, more?: Partial<AuditSourceContext>, options?: Partial<AuditCloudwatchOptions>): AuditReading;
  stop(): Promise<void>;
}

/** Makes one at START. */
export function makeCloudwatch(): Cloudwatch {
  const running: AuditReading[] = [];
  const groups: LogGroup[] = [];
  const self: Cloudwatch = {
    time: secondsAfter(START),
    async group(stored, behaviour) {
      const one = await startLogGroup({ now: () => self.time, ...behaviour });
      groups.push(one);
      one.stored.push(...stored);
      return one;
    },
    read({ client }, saved, more, options) {
      const reading = readAudit(auditCloudwatch({ client, cluster: 'shop', ...options }), saved, {
        now: () => self.time,
        wait: async (ms) => {
          self.time += ms;
          await delay(1);
        },
        ...more,
      });
      running.push(reading);
      return reading;
    },
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await Promise.all(groups.map((one) => one.close()));
    },
  };
  return self;
}

/** An event in a log group, so many seconds after 10:00. */
export const event = (second: number, more: Partial<Stored> = {}): Stored => ({
  eventId: `e${second}`,
  timestamp: secondsAfter(second),
  message: auditLine(second).trim(),
  ...more,
});

/** Resolves when the group was asked `count` times more. */
export async function polls(group: LogGroup, count: number): Promise<void> {
  const from = group.asked.length;
  await eventually(() => group.asked.length >= from + count, group.asked.length);
}
