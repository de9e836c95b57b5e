import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, secondsAfter } from './testdata/audit-reading.ts';
import { type Cloudwatch, event, makeCloudwatch, polls, START } from './testdata/cloudwatch-reading.ts';
import type { Behaviour } from './testdata/log-group.ts';

let aws: Cloudwatch;
beforeEach(() => {
  aws = makeCloudwatch();
});
afterEach(() => aws.stop());

describe('the audit log of EKS', () => {
  it('is read from one overlap ago, page by page, each event once', async () => {
    const seconds = Array.from({ length: 35 }, (_, i) => START - 300 + i);
    const one = await aws.group([event(START - 1_200), ...seconds.map((second) => event(second))]);
    const reading = aws.read(one);
    await polls(one, 30);
    expect(reading.ids).toEqual(seconds.map(String));
    expect(one.asked[0]).toEqual({
      logGroupName: '/aws/eks/shop/cluster',
      logStreamNamePrefix: 'kube-apiserver-audit-',
      startTime: secondsAfter(START - 600),
      endTime: secondsAfter(START + 60),
    });
    expect(one.asked.slice(1, 4).map(({ nextToken }) => nextToken)).toEqual(['10', '20', '30']);
  });

  it('comes late and out of order, and is found within the overlap', async () => {
    const one = await aws.group([
      event(START - 10),
      event(START - 400, { arrives: secondsAfter(START + 100) }),
      event(START + 50, { arrives: secondsAfter(START + 55) }),
    ]);
    const reading = aws.read(one);
    await eventually(() => reading.ids.length === 3, reading);
    expect(reading).toMatchObject({ ids: [`${START - 10}`, `${START + 50}`, `${START - 400}`], gaps: [] });
  });

  it('is asked for the whole overlap once a minute only, in between for what is new', async () => {
    const one = await aws.group([event(START - 5)]);
    aws.read(one);
    await polls(one, 26);
    const from = one.asked.slice(0, 26).map(({ startTime }) => (startTime - secondsAfter(START)) / 1_000);
    const brief = Array(11).fill(-65);
    expect(from).toEqual([-600, ...brief, -600, ...brief, -540, -65]);
  });

  it('goes on one overlap before the checkpoint, which moves only when everything is kept', async () => {
    const one = await aws.group([event(START - 400), event(START - 200), event(START - 100)]);
    let failures = 2;
    const batches: unknown[][] = [];
    const first = aws.read(one, undefined, {
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
    const second = aws.read(one, checkpoint);
    await polls(one, 3);
    // Nothing is known after a restart: what is repeated has the same auditID.
    expect(second.ids).toEqual([START - 400, START - 300, START - 200, START - 100].map(String));
    expect(second.gaps).toEqual([]);
  });

  it('is caught up in slices, each with its checkpoint', async () => {
    const seconds = Array.from({ length: 50 }, (_, i) => 100 + i * 60);
    const one = await aws.group(seconds.map((second) => event(second)));
    const swept: number[] = [];
    const write = async (value: unknown) => void swept.push(((value as { swept: number }).swept - secondsAfter(0)) / 1_000);
    const saved = { swept: secondsAfter(100), newest: secondsAfter(90) };
    const reading = aws.read(one, saved, { checkpoint: { read: () => saved, write } });
    await eventually(() => reading.ids.length === 50, reading);
    await polls(one, 2);
    expect(reading.ids).toEqual(seconds.map(String));
    expect(swept.slice(0, 4)).toEqual([700, 1_900, 3_100, 3_600]);
    expect(reading.gaps).toEqual([]);
  });

  it('has a gap where events are no longer kept, and months without any pass in a few calls', async () => {
    const one = await aws.group([event(START - 30)]);
    const before = -90 * 24 * 3_600;
    const reading = aws.read(one, { swept: secondsAfter(before), newest: secondsAfter(before - 5) });
    await eventually(() => reading.ids.length === 1, reading);
    expect(reading.gaps).toEqual([[secondsAfter(before - 5), secondsAfter(START - 30)]]);
    expect(one.asked.length).toBeLessThan(30);
  });

  it('remembers only so many ids; the rest is handed on again', async () => {
    const seconds = Array.from({ length: 8 }, (_, i) => START - 20 + i);
    const one = await aws.group(seconds.map((second) => event(second)));
    const reading = aws.read(one, undefined, {}, { memory: 3 });
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
    const one = await aws.group(
      seconds.map((second) => event(second)),
      behaviour,
    );
    const reading = aws.read(one);
    await polls(one, 8);
    expect(reading.ids).toEqual(seconds.map(String));
  });
});

it('a token from before a long outage is not used: it would give an empty page', async () => {
  const seconds = Array.from({ length: 9 }, (_, i) => START - 20 + i);
  const one = await aws.group(
    seconds.map((second) => event(second)),
    { pageSize: 5 },
  );
  const reading = aws.read(one, undefined, {
    accept: async (events) => {
      if (aws.time < secondsAfter(START + 13 * 3_600)) throw new Error('no space left');
      reading.ids.push(...events.map((each) => (each as { auditID: string }).auditID));
    },
    wait: async () => {
      aws.time += 3_600_000;
      await delay(1);
    },
  });
  await eventually(() => reading.ids.length === 9, reading);
  expect(one.asked.slice(0, 3).map(({ nextToken }) => nextToken)).toEqual([undefined, undefined, '5']);
  expect(reading.ids).toEqual(seconds.map(String));
});
