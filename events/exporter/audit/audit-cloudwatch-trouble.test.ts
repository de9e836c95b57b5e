import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readAuditEvent } from './audit-record.ts';
import { eventually, secondsAfter } from './testdata/audit-reading.ts';
import { type Cloudwatch, event, makeCloudwatch, polls, START } from './testdata/cloudwatch-reading.ts';

let aws: Cloudwatch;
beforeEach(() => {
  aws = makeCloudwatch();
});
afterEach(() => aws.stop());

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
    const one = await aws.group([event(START - 9, { message: `${long.slice(0, 600)}[Truncated...]` })]);
    const reading = aws.read(one);
    await eventually(() => reading.ids.length === 1, reading);
    const [[found] = []] = reading.batches;
    expect(readAuditEvent(found)).toMatchObject({
      kind: 'record',
      record: { auditID: 'cut', at: secondsAfter(START - 9), name: 'b', code: 200 },
    });
    expect(reading.dropped).toEqual({});
  });

  it('one cut off earlier is counted, and so is one that is no JSON', async () => {
    const one = await aws.group([
      event(START - 9, { message: `${long.slice(0, 200)}[Truncated...]` }),
      event(START - 8, { message: 'hello' }),
      event(START - 7),
    ]);
    const reading = aws.read(one);
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
    const one = await aws.group([event(START - 5)], {
      refuse: (call) => (call <= 4 ? { status, type, message: 'no' } : undefined),
    });
    const waits: number[] = [];
    const reading = aws.read(one, undefined, {
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
    const one = await aws.group([event(START - 5)]);
    const reading = aws.read(one);
    await eventually(() => reading.problems.length > 0, reading);
    expect(reading.problems).toEqual([expect.stringMatching(/no audit event came for 10 minutes.*update-cluster-config/)]);
    const again = (aws.time - secondsAfter(0)) / 1_000;
    one.stored.push(event(again));
    await eventually(() => reading.ids.length === 2, reading);
    expect(reading.gaps).toEqual([[secondsAfter(START - 5), secondsAfter(again)]]);
  });

  it('an event that came almost too late says so', async () => {
    const one = await aws.group([event(START - 550, { arrives: secondsAfter(START - 10) })]);
    const reading = aws.read(one);
    await eventually(() => reading.problems.length > 0, reading);
    expect(reading.problems[0]).toMatch(/540 s late.*raise the overlap/);
  });

  it('ends while waiting for an answer', async () => {
    const one = await aws.group([], { refuse: () => ({ status: 500, type: 'InternalFailure', message: 'no' }) });
    const reading = aws.read(one);
    await polls(one, 1);
    await reading.stop();
    expect(reading.checkpoint).toBeUndefined();
  });
});
