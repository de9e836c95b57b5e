import { GetScheduleCommand, ListSchedulesCommand } from '@aws-sdk/client-scheduler';
import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Appointments, makeAppointments } from '../../test/aws/appointments.ts';
import { type Moto, startMoto } from '../../test/aws/moto.ts';
import { AwsSchedule } from './aws.ts';
import { scheduleContract } from './contract.ts';
import { deliverBatch } from './queue-batch.ts';
import type { Appointment, Schedule } from './schedule.ts';
import { EARLY } from './scheduler.ts';
import { SqsSchedule } from './sqs.ts';

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 180_000);
afterAll(() => moto.stop());

/** Seconds until a failed message comes again. */
const VISIBILITY = 30;
const START = Date.parse('2026-01-01T00:00:00.250Z');

/** moto's queue and schedules in moto's time, which only moves here. */
async function world() {
  let now = START;
  await moto.setTime(now);
  const appointments = await makeAppointments(moto.endpoint, VISIBILITY);
  /** The moments at which something can be received. */
  const moments = new Set<number>();
  const aws = appointments.schedule(() => now);
  const schedule: Schedule = {
    put(appointment) {
      moments.add(Math.max(now, appointment.at - EARLY)).add(now + Math.ceil(Math.max(0, appointment.at - now) / 1_000) * 1_000);
      return aws.schedule.put(appointment);
    },
  };
  let handler: (appointment: Appointment) => Promise<void> = async () => undefined;
  const handle = (due: Appointment) =>
    handler(due).catch((error) => {
      moments.add(now + VISIBILITY * 1_000 + 1);
      throw error;
    });
  const moveTo = async (time: number) => {
    now = time;
    await moto.setTime(now);
    await appointments.runScheduler(now);
    await appointments.runQueue((batch) => deliverBatch(batch, { schedule, now: () => now, handle, onProblem: () => undefined }));
  };
  return {
    ...{ appointments, schedule, now: () => now },
    async pass(ms: number) {
      const end = now + ms;
      await moveTo(now);
      while (now < end) await moveTo(Math.min(end, ...[...moments].filter((moment) => moment > now)));
    },
    onDelivery: (next: typeof handler) => {
      handler = next;
    },
    // Nothing of it lives in a process.
    restart: async () => undefined,
    close: async () => {
      aws.close();
      appointments.close();
    },
  };
}

scheduleContract('AwsSchedule', world);

describe('AwsSchedule', () => {
  const named = async ({ scheduler, group }: Appointments) => {
    const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({ GroupName: group }));
    return Schedules.map(({ Name }) => Name).sort();
  };

  it('makes one schedule of what is put twice, and one for each other token', async () => {
    const { appointments, schedule, now, close } = await world();
    const at = now() + 3_600_000;
    for (const token of [1, 1, 2] as const) await schedule.put({ incident: 'abc', token, at });
    for (const later of [0, 0, 5_000]) await schedule.put({ incident: 'abc', token: 'wake', at: at + later });
    const second = Math.floor(at / 1_000);
    expect(await named(appointments)).toEqual(['abc-1', 'abc-2', `abc-wake-${second}`, `abc-wake-${second + 5}`]);
    const { scheduler, group } = appointments;
    expect(await scheduler.send(new GetScheduleCommand({ GroupName: group, Name: 'abc-1' }))).toMatchObject({
      ScheduleExpression: 'at(2026-01-01T00:58:00)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: { RetryPolicy: { MaximumEventAgeInSeconds: 3_600 } },
    });
    await close();
  });

  it.each([
    ['15 minutes', 900_000, 0],
    ['a moment more', 900_001, 1],
  ])('%s away it takes the queue or a schedule, and is on time either way', async (_, away, schedules) => {
    const under = await world();
    const times: number[] = [];
    under.onDelivery(async () => void times.push(under.now()));
    const at = under.now() + away;
    await under.schedule.put({ incident: 'abc', token: 1, at });
    expect(await named(under.appointments)).toHaveLength(schedules);
    await under.pass(away + 2_000);
    expect(times).toHaveLength(1);
    expect(times[0]).toBeGreaterThanOrEqual(at);
    expect(times[0]).toBeLessThanOrEqual(at + 1_000);
    expect(await named(under.appointments)).toEqual([]);
    await under.close();
  });

  it('says which incident could not be put where', async () => {
    const client = { send: async () => Promise.reject(Object.assign(new Error('slow down'), { name: 'ThrottlingException' })) };
    const names = { queueArn: 'q', deadLetterArn: 'd', roleArn: 'r' };
    const schedule = new AwsSchedule({
      sqs: { client, queue: 'https://queue', now: () => 0 },
      scheduler: { client, group: 'appointments', ...names },
    });
    await expect(schedule.put({ incident: 'abc', token: 1, at: 0 })).rejects.toThrow(
      'look at incident abc could not be put into https://queue: ThrottlingException: slow down',
    );
    await expect(schedule.put({ incident: 'abc', token: 1, at: 1e7 })).rejects.toThrow(
      'abc could not be put into appointments: Throttling',
    );
  });

  it.each([
    [-5_000, 0],
    [1, 1],
    [1_500, 2],
    [13_000, 13],
    [900_000, 900],
  ])('rounds a wait of %i ms up to whole seconds, so that it never comes early and is put again: %i', async (wait, seconds) => {
    const delays: (number | undefined)[] = [];
    const client = { send: async ({ input }: SendMessageCommand) => void delays.push(input.DelaySeconds) } as unknown as SQSClient;
    await new SqsSchedule({ client, queue: 'https://queue', now: () => 7 }).put({ incident: 'abc', token: 1, at: 7 + wait });
    expect(delays).toEqual([seconds]);
  });

  it('hands on an appointment that was set in the future: the clock has been put right since', async () => {
    const handled: string[] = [];
    const put: unknown[] = [];
    const hour = 3_600_000;
    const bodies = [
      { incident: 'ahead', token: 1, at: hour + 30_000, set: hour },
      { incident: 'early', token: 1, at: 30_000, set: 0 },
    ];
    await deliverBatch(
      { Records: bodies.map((value, index) => ({ messageId: `${index}`, body: JSON.stringify(value) })) },
      {
        schedule: { put: async (appointment) => void put.push(appointment) },
        now: () => 29_000,
        handle: async ({ incident }) => void handled.push(incident),
        onProblem: (problem) => put.push(problem),
      },
    );
    expect([handled, put]).toEqual([['ahead'], [bodies[1]]]);
  });

  it('keeps a message that is no appointment for the dead-letter queue, and hands on the others', async () => {
    const handled: string[] = [];
    const problems: string[] = [];
    const body = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
    const bodies = ['{', { incident: 'a' }, { incident: 'bad', token: 1, at: 0 }, { incident: 'good', token: 'wake', at: 0 }];
    const answer = await deliverBatch(
      { Records: bodies.map((value, index) => ({ messageId: `${index}`, body: body(value) })) },
      {
        schedule: { put: async () => undefined },
        now: () => 1,
        handle: async ({ incident }) => (incident === 'bad' ? Promise.reject(new Error('no state')) : void handled.push(incident)),
        onProblem: (problem, id) => problems.push(`${id} ${problem}`),
      },
    );
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['0', '1', '2']);
    expect(handled).toEqual(['good']);
    expect(problems).toContain('2 An appointment failed and comes again: no state');
  });
});
