import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AwsWorld, REMEDIATION } from './aws-world.ts';
import type { Call, Fault } from './fault-proxy.ts';
import { type Moto, startMoto } from './moto.ts';
import { DOCUMENT, NAME, paintByDocument } from './paint-by-document.ts';

let moto: Moto;
let world: AwsWorld;
beforeAll(async () => {
  moto = await startMoto();
}, 180_000);
afterAll(() => moto.stop());
beforeEach(async () => {
  world = await AwsWorld.start(moto);
  await world.truth.set(`mode/${REMEDIATION.name}`, 'auto');
});
afterEach(() => world.stop());

const isWrite = ({ action }: Call): boolean => /PutItem|UpdateItem|DeleteItem/.test(action);
const isRead = ({ action }: Call): boolean => /GetItem|Query/.test(action);
const throttled = (error: string): Fault => ({ status: 400, error });

/** What fails, where, and how, for as long as the fault lasts. */
type Row = [what: string, service: string, which: (call: Call) => boolean, fault: Fault];

const ROWS: Row[] = [
  ['the table throttles', 'dynamodb', () => true, throttled('ProvisionedThroughputExceededException')],
  ['the table answers 500 to writes only', 'dynamodb', isWrite, { status: 500, error: 'InternalServerError' }],
  ['the table does not answer', 'dynamodb', () => true, 'lost before'],
  ['the answers to writes into the table are lost', 'dynamodb', isWrite, 'lost after'],
  ['every condition fails', 'dynamodb', isWrite, throttled('ConditionalCheckFailedException')],
  ['the table answers what was there first', 'dynamodb', isRead, 'stale'],
  ['the bucket says slow down', 's3', () => true, { status: 503, error: 'SlowDown' }],
  ['the bucket does not answer', 's3', () => true, 'lost before'],
  ['the bucket takes a pin and does not say so', 's3', ({ action }) => action.startsWith('PUT'), 'lost after'],
  ['the bucket refuses every write', 's3', ({ action }) => action.startsWith('PUT'), { status: 403, error: 'AccessDenied' }],
];

const QUEUE: Row[] = [
  ['throttles', 'sqs', () => true, throttled('RequestThrottled')],
  ['does not answer', 'sqs', () => true, 'lost before'],
  ['takes messages and does not say so', 'sqs', () => true, 'lost after'],
  ['answers 500', 'sqs', () => true, { status: 500, error: 'InternalFailure' }],
];

/** The function that is asked to go on. */
const LAMBDA: Row[] = [
  ['Lambda has no concurrency left', 'lambda', () => true, { status: 429, error: 'TooManyRequestsException' }],
  ['Lambda answers 500', 'lambda', () => true, { status: 500, error: 'ServiceException' }],
  ['Lambda does not answer', 'lambda', () => true, 'lost before'],
];

const fail = ([, service, which, fault]: Row): void => {
  world.proxy.intercept = (call) => (call.service === service && which(call) ? fault : undefined);
};

/** All is well again: the widget is painted, once, and everything is told. */
async function mendedOnce(): Promise<void> {
  world.proxy.intercept = () => undefined;
  await world.run(1_800_000);
  expect((await world.incident()).state).toBe('verified');
  expect(world.cluster.writes).toHaveLength(1);
  const told = [...new Set(world.told.map(({ state }) => state))];
  expect(told).toEqual(expect.arrayContaining(['detected', 'planned', 'executing', 'applied', 'verified']));
}

describe('a plan is about to be confirmed and', () => {
  it.each([...ROWS, ...LAMBDA])(
    '%s: nothing is written, the incident stays whole, and it is mended once when that is over',
    async (...row) => {
      await world.fact();
      await world.run(5_000);
      const before = await world.incident();
      expect(before.state).toBe('planned');
      fail(row);
      await world.run(70_000);
      expect(world.cluster.writes).toEqual([]);
      const { history } = await world.incident();
      expect(history.slice(0, before.history.length)).toEqual(before.history);
      // Told, in the incident or in the log, and kept by the queue.
      expect(world.problems.length + history.length - before.history.length).toBeGreaterThan(0);
      await mendedOnce();
    },
  );
});

describe('the failure is only just detected and', () => {
  it.each([...QUEUE, ...ROWS.slice(0, 2)])('%s (the queue, the table): nothing is written, and it is mended once later', async (...row) => {
    fail(row);
    await world.fact();
    await world.run(25_000);
    expect(world.cluster.writes).toEqual([]);
    expect(world.problems.join()).toMatch(/could not|failed/);
    await mendedOnce();
  });
});

describe('the second look is 20 minutes away, and the scheduler', () => {
  it.each<Row>([
    ['throttles', 'scheduler', () => true, throttled('ThrottlingException')],
    ['answers 500', 'scheduler', () => true, { status: 500, error: 'InternalServerException' }],
    ['does not answer', 'scheduler', () => true, 'lost before'],
    ['takes the schedule and does not say so', 'scheduler', () => true, 'lost after'],
  ])('%s: nothing is written, it is told, and it is mended once later', async (...row) => {
    await world.stop();
    world = await AwsWorld.start(moto, { confirmAfter: '20m', expireAfter: '1h' });
    await world.truth.set(`mode/${REMEDIATION.name}`, 'auto');
    fail(row);
    await world.fact();
    await world.run(300_000);
    expect(world.proxy.calls.filter(({ service }) => service === 'scheduler').length).toBeGreaterThan(0);
    expect((await world.incident()).state).toBe('planned');
    expect(world.problems.join()).toMatch(/could not|failed/);
    world.proxy.intercept = () => undefined;
    await world.run(840_000);
    expect(world.cluster.writes).toEqual([]);
    await mendedOnce();
  });
});

describe('a pinned document is to be applied and', () => {
  it.each<Row>([
    ['the bucket answers an older pin', 's3', ({ action }) => action.startsWith('GET'), 'stale'],
    ['the bucket answers no reading', 's3', ({ action }) => action.startsWith('GET'), 'lost before'],
  ])('%s: nothing is written, and it is mended once later', async (...row) => {
    await world.stop();
    world = await AwsWorld.start(moto, {}, paintByDocument());
    await world.truth.set(`mode/${REMEDIATION.name}`, 'auto');
    const { artifacts } = world.through;
    await artifacts.put(NAME, `# the first of its kind\n${DOCUMENT}`);
    await artifacts.get(NAME);
    await artifacts.put(NAME, DOCUMENT);
    await world.fact();
    await world.run(5_000);
    fail(row);
    await world.run(70_000);
    expect(world.cluster.writes).toEqual([]);
    const { history } = await world.incident();
    expect(`${world.problems} ${history.map(({ because }) => because)}`).toMatch(/replaced since|GET .* failed/);
    await mendedOnce();
  });
});

describe('the plan is confirmed just when', () => {
  it.each(QUEUE)('the queue %s: what was decided is written once, and verified later', async (...row) => {
    await world.fact();
    await world.run(5_000);
    fail(row);
    await world.run(70_000);
    expect(world.cluster.writes.length).toBeLessThanOrEqual(1);
    await mendedOnce();
  });

  it.each<Row>([
    ['throttles', 'events', () => true, throttled('ThrottlingException')],
    ['answers 500', 'events', () => true, { status: 500, error: 'InternalException' }],
    ['does not answer', 'events', () => true, 'lost before'],
    ['takes events and does not say so', 'events', () => true, 'lost after'],
  ])('the bus %s: telling never holds up a fix, and is made good', async (...row) => {
    await world.fact();
    await world.run(5_000);
    fail(row);
    await world.run(70_000);
    expect(world.problems.join()).toContain('could not be told');
    await mendedOnce();
  });

  it('Lambda runs the function and the answer is lost: it is asked again, and never writes twice', async () => {
    await world.fact();
    await world.run(5_000);
    fail(['', 'lambda', () => true, 'lost after']);
    await world.run(70_000);
    expect(world.problems.length).toBeGreaterThan(0);
    expect(world.cluster.writes.length).toBeLessThanOrEqual(1);
    await mendedOnce();
  });

  it('Lambda runs the function twice at once with the same request id: one write, and the record knows it', async () => {
    await world.fact();
    await world.run(5_000);
    await world.twice();
    const { execution, history } = await world.incident();
    expect(world.cluster.writes).toHaveLength(1);
    expect(execution?.written).toHaveLength(1);
    expect(history.at(-1)).toMatchObject({ state: 'applied', because: 'the step is written' });
    await mendedOnce();
  });

  it.each([10, 30, 50, 70])('all of AWS is away from the call %i on, for eight calls: never a second write', async (from) => {
    let calls = 0;
    world.proxy.intercept = () => {
      calls += 1;
      return calls >= from && calls < from + 8 ? { status: 500, error: 'InternalServerError' } : undefined;
    };
    await world.fact();
    await world.run(600_000);
    expect(calls).toBeGreaterThan(from + 8);
    expect(world.cluster.writes.length).toBeLessThanOrEqual(1);
    await mendedOnce();
  });
});

it('an hour without the bus, with what was left behind taken up every five minutes, costs a bounded number of runs', async () => {
  world.ticking = true;
  fail(['', 'events', () => true, { status: 500, error: 'InternalException' }]);
  await world.fact();
  for (let minute = 0; minute < 60 && world.invocations < 200; minute += 1) await world.run(60_000);
  expect(world.problems.join()).toContain('could not be told');
  expect(world.cluster.writes).toHaveLength(1);
  expect(world.invocations).toBeLessThan(200);
  await mendedOnce();
}, 120_000);

it('every read that decides something asks for consistency', async () => {
  await world.fact();
  await mendedOnce();
  const reads = world.proxy.calls.filter((call) => call.service === 'dynamodb' && isRead(call));
  expect(reads.length).toBeGreaterThan(10);
  expect(reads.filter(({ body }) => !body.includes('"ConsistentRead":true'))).toEqual([]);
});
