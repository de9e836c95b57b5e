import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AuditCloudwatchOptions, auditCloudwatch } from './audit-cloudwatch.ts';
import { readAuditEvent } from './audit-record.ts';
import type { AuditSourceContext } from './audit-source.ts';
import { type AuditReading, auditLine, eventually, readAudit, secondsAfter } from './testdata/audit-reading.ts';
import { type Behaviour, type LogGroup, type Stored, startLogGroup } from './testdata/log-group.ts';

const MINUTE = 60;
/** The exporter's clock at the start: an hour after 10:00. It moves by what is waited for. */
const START = 60 * MINUTE;
let time: number;
const running: AuditReading[] = [];
const groups: LogGroup[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await Promise.all(groups.splice(0).map((one) => one.close()));
});

const event = (second: number, more: Partial<Stored> = {}): Stored => ({
  eventId: `e${second}`,
  timestamp: secondsAfter(second),
  message: auditLine(second).trim(),
  ...more,
});

async function group(stored: Stored[], behaviour: Partial<Behaviour> = {}): Promise<LogGroup> {
  time = secondsAfter(START);
  const one = await startLogGroup({ now: () => time, ...behaviour });
  groups.push(one);
  one.stored.push(...stored);
  return one;
}

function read(
  { client }: LogGroup,
  saved?: unknown,
  more: Partial<AuditSourceContext> = {},
  options: Partial<AuditCloudwatchOptions> = {},
) {
  const reading = readAudit(auditCloudwatch({ client, cluster: 'shop', ...options }), saved, {
    now: () => time,
    wait: async (ms) => {
      time += ms;
      await delay(1);
    },
    ...more,
  });
  running.push(reading);
  return reading;
}
const polls = (one: LogGroup, count: number): Promise<void> => {
  const from = one.asked.length;
  return eventually(() => one.asked.length >= from + count, one.asked.length);
};

describe('the audit log of EKS', () => {
  it('is read from one overlap ago, page by page, each event once', async () => {
    const seconds = Array.from({ length: 35 }, (_, i) => START - 300 + i);
    const one = await group([event(START - 20 * MINUTE), ...seconds.map((second) => event(second))]);
    const reading = read(one);
    await polls(one, 30);
    expect(reading.ids).toEqual(seconds.map(String));
    expect(one.asked[0]).toEqual({
      logGroupName: '/aws/eks/shop/cluster',
      logStreamNamePrefix: 'kube-apiserver-audit-',
      startTime: secondsAfter(START - 10 * MINUTE),
      endTime: secondsAfter(START + MINUTE),
    });
    expect(one.asked.slice(1, 4).map(({ nextToken }) => nextToken)).toEqual(['10', '20', '30']);
  });

  it('comes late and out of order, and is found within the overlap', async () => {
    const one = await group([
      event(START - 10),
      event(START - 400, { arrives: secondsAfter(START + 100) }),
      event(START + 50, { arrives: secondsAfter(START + 55) }),
    ]);
    const reading = read(one);
    await eventually(() => reading.ids.length === 3, reading);
    expect(reading).toMatchObject({ ids: [`${START - 10}`, `${START + 50}`, `${START - 400}`], gaps: [] });
  });

  it('is asked for the whole overlap once a minute only, in between for what is new', async () => {
    const one = await group([event(START - 5)]);
    read(one);
    await polls(one, 26);
    const from = one.asked.slice(0, 26).map(({ startTime }) => (startTime - secondsAfter(START)) / 1_000);
    const brief = Array(11).fill(-65);
    expect(from).toEqual([-600, ...brief, -600, ...brief, -540, -65]);
  });

  it('goes on one overlap before the checkpoint, which moves only when everything is kept', async () => {
    const one = await group([event(START - 400), event(START - 200), event(START - 100)]);
    let failures = 2;
    const batches: unknown[][] = [];
    const first = read(one, undefined, {
      accept: async (events) => {
        batches.push(events);
        expect(first.checkpoint).toBeUndefined();
        if (failures-- > 0) throw new Error('no space left');
      },
    });
    await eventually(() => first.checkpoint !== undefined, first);
    expect(batches.length).toBe(3);
    expect(batches[2]).toEqual(batches[0]);
    const { checkpoint } = await first.stop();
    expect(checkpoint).toMatchObject({ newest: secondsAfter(START - 100) });
    one.stored.push(event(START - 300));
    const second = read(one, checkpoint);
    await polls(one, 3);
    // Nothing is known after a restart: what is repeated has the same auditID.
    expect(second.ids).toEqual([START - 400, START - 300, START - 200, START - 100].map(String));
    expect(second.gaps).toEqual([]);
  });

  it('is caught up in slices, each with its checkpoint', async () => {
    const seconds = Array.from({ length: 50 }, (_, i) => 100 + i * 60);
    const one = await group(seconds.map((second) => event(second)));
    const swept: number[] = [];
    const write = async (value: unknown) => void swept.push(((value as { swept: number }).swept - secondsAfter(0)) / 1_000);
    const saved = { swept: secondsAfter(100), newest: secondsAfter(90) };
    const reading = read(one, saved, { checkpoint: { read: () => saved, write } });
    await eventually(() => reading.ids.length === 50, reading);
    await polls(one, 2);
    expect(reading.ids).toEqual(seconds.map(String));
    expect(swept.slice(0, 4)).toEqual([700, 1_900, 3_100, 3_600]);
    expect(reading.gaps).toEqual([]);
  });

  it('has a gap where events are no longer kept, and months without any pass in a few calls', async () => {
    const one = await group([event(START - 30)]);
    const before = -90 * 24 * 3_600;
    const reading = read(one, { swept: secondsAfter(before), newest: secondsAfter(before - 5) });
    await eventually(() => reading.ids.length === 1, reading);
    expect(reading.gaps).toEqual([[secondsAfter(before - 5), secondsAfter(START - 30)]]);
    expect(one.asked.length).toBeLessThan(30);
  });

  it('remembers only so many ids; the rest is handed on again', async () => {
    const seconds = Array.from({ length: 8 }, (_, i) => START - 20 + i);
    const one = await group(seconds.map((second) => event(second)));
    const reading = read(one, undefined, {}, { memory: 3 });
    await eventually(() => reading.ids.length > 16, reading);
    expect(new Set(reading.ids)).toEqual(new Set(seconds.map(String)));
  });
});

describe('paging', () => {
  it.each<[string, Partial<Behaviour>]>([
    ['an empty page is not the end', { token: (next, call) => (call === 1 ? '0' : next), pageSize: 5 }],
    ['the same token again is the end', { token: () => '0' }],
    [
      'a token that ended begins the interval again',
      {
        pageSize: 5,
        refuse: (call, { nextToken }) =>
          nextToken && call === 2
            ? { status: 400, type: 'InvalidParameterException', message: 'The specified nextToken is invalid.' }
            : undefined,
      },
    ],
  ])('%s', async (_, behaviour) => {
    const seconds = Array.from({ length: 9 }, (_, i) => START - 20 + i);
    const one = await group(
      seconds.map((second) => event(second)),
      behaviour,
    );
    const reading = read(one);
    await polls(one, 8);
    expect(reading.ids).toEqual(seconds.map(String));
  });
});

it('a token from before a long outage is not used: it would give an empty page', async () => {
  const seconds = Array.from({ length: 9 }, (_, i) => START - 20 + i);
  const one = await group(
    seconds.map((second) => event(second)),
    { pageSize: 5 },
  );
  const reading = readAudit(auditCloudwatch({ client: one.client, cluster: 'shop' }), undefined, {
    now: () => time,
    accept: async (events) => {
      if (time < secondsAfter(START + 13 * 3_600)) throw new Error('no space left');
      reading.ids.push(...events.map((each) => (each as { auditID: string }).auditID));
    },
    wait: async () => {
      time += 3_600_000;
      await delay(1);
    },
  });
  running.push(reading);
  await eventually(() => reading.ids.length === 9, reading);
  expect(one.asked.slice(0, 3).map(({ nextToken }) => nextToken)).toEqual([undefined, undefined, '5']);
  expect(reading.ids).toEqual(seconds.map(String));
});

describe('messages', () => {
  const long = JSON.stringify({
    kind: 'Event',
    auditID: 'cut',
    stage: 'ResponseComplete',
    requestURI: '/apis/apps/v1/namespaces/a/deployments/b?x=","requestObject":{',
    verb: 'update',
    user: { username: 'me' },
    objectRef: { resource: 'deployments', namespace: 'a', name: 'b', apiGroup: 'apps', apiVersion: 'v1' },
    responseStatus: { code: 200 },
    requestObject: { spec: 'x'.repeat(1_000) },
  });

  it('a truncated one loses its bodies only', async () => {
    const one = await group([event(START - 9, { message: `${long.slice(0, 600)}[Truncated...]` })]);
    const reading = read(one);
    await eventually(() => reading.ids.length === 1, reading);
    const [[found] = []] = reading.batches;
    expect(readAuditEvent(found)).toMatchObject({
      kind: 'record',
      record: { auditID: 'cut', at: secondsAfter(START - 9), name: 'b', code: 200 },
    });
    expect(reading.dropped).toEqual({});
  });

  it('one cut off earlier is counted, and so is one that is no JSON', async () => {
    const one = await group([
      event(START - 9, { message: `${long.slice(0, 200)}[Truncated...]` }),
      event(START - 8, { message: 'hello' }),
      event(START - 7),
    ]);
    const reading = read(one);
    await polls(one, 5);
    expect(reading).toMatchObject({ ids: [`${START - 7}`], dropped: { truncated: 1, malformed: 1 } });
  });
});

describe('trouble', () => {
  it.each([
    ['ResourceNotFoundException', 400, /does not exist.*aws eks update-cluster-config --name shop --logging/],
    ['AccessDeniedException', 400, /allow logs:FilterLogEvents on .*\/aws\/eks\/shop\/cluster/],
    ['SomethingForbidden', 403, /allow logs:FilterLogEvents/],
    ['ExpiredTokenException', 400, /Pod Identity/],
    ['ThrottlingException', 400, /more slowly/],
    ['ServiceUnavailableException', 503, /ServiceUnavailable/],
  ])('%s is told once, and asked again later', async (type, status, expected) => {
    const one = await group([event(START - 5)], {
      refuse: (call) => (call <= 4 ? { status, type, message: 'no' } : undefined),
    });
    const waits: number[] = [];
    const reading = read(one, undefined, {
      wait: async (ms) => {
        waits.push(ms);
        await delay(1);
      },
    });
    await eventually(() => reading.ids.length === 1, reading);
    expect(reading.problems).toEqual([expect.stringMatching(expected)]);
    expect(waits.slice(0, 4)).toEqual([375, 750, 1_500, 3_000]);
    expect(reading.gaps).toEqual([]);
  });

  it('silence is told, and is a gap when it ends', async () => {
    const one = await group([event(START - 5)]);
    const reading = read(one);
    await eventually(() => reading.problems.length > 0, reading);
    expect(reading.problems).toEqual([expect.stringMatching(/no audit event came for 10 minutes.*update-cluster-config/)]);
    const again = (time - secondsAfter(0)) / 1_000;
    one.stored.push(event(again));
    await eventually(() => reading.ids.length === 2, reading);
    expect(reading.gaps).toEqual([[secondsAfter(START - 5), secondsAfter(again)]]);
  });

  it('an event that came almost too late says so', async () => {
    const one = await group([event(START - 550, { arrives: secondsAfter(START - 10) })]);
    const reading = read(one);
    await eventually(() => reading.problems.length > 0, reading);
    expect(reading.problems[0]).toMatch(/540 s late.*raise the overlap/);
  });

  it('ends while waiting for an answer', async () => {
    const one = await group([], { refuse: () => ({ status: 500, type: 'InternalFailure', message: 'no' }) });
    const reading = read(one);
    await polls(one, 1);
    await reading.stop();
    expect(reading.checkpoint).toBeUndefined();
  });
});
