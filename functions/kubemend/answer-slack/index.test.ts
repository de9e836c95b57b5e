import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SlackWorld } from '../../../test/slack/slack-world.ts';
import { type AnswerAdapters, makeAnswerSlack } from './index.ts';

let world: SlackWorld;
let problems: string[];
let body: string;

beforeEach(async () => {
  world = await SlackWorld.start();
  problems = [];
  await world.mode('approve');
  await world.fact();
  await world.pass(40_000);
  body = world.slack.click(world.slack.topLevel[0] as never, 'approve');
});
afterEach(async () => {
  await world.close();
  expect(world.slack.violations).toEqual([]);
});

const open = (changes: Partial<AnswerAdapters> = {}) => {
  const { state, schedule, remediation, clock, approvers, slack } = world;
  return makeAnswerSlack(() => ({
    ...{ state, schedule, remediations: [remediation], approvers, now: clock.now, requestId: randomUUID },
    ...{
      signingSecret: async () => slack.signingSecret,
      answerOrigins: [slack.origin],
      wait: (ms) => delay(ms, undefined, { ref: false }),
    },
    onProblem: (problem) => problems.push(problem),
    ...changes,
  }));
};
/** As a Function URL hands it over. */
const urlEvent = (text: string, { headers = world.slack.sign(text), base64 = false } = {}) => ({
  version: '2.0',
  headers,
  body: base64 ? Buffer.from(text).toString('base64') : text,
  isBase64Encoded: base64,
});
const states = async () => (await world.incident()).state;

describe('the Function URL that Slack sends clicks to', () => {
  it.each([false, true])('stores the click before it answers, and does nothing else (body in base64: %s)', async (base64) => {
    expect(await open()(urlEvent(body, { base64 }))).toEqual({ statusCode: 200, body: '' });
    expect([await states(), world.cluster.writes]).toEqual(['executing', []]);
    expect(await world.state.list({ unfinished: true })).toHaveLength(1);
    await world.pass(60_000);
    expect(world.cluster.writes).toHaveLength(1);
  });

  it('takes a request once: a copy is refused, to it and to any other instance', async () => {
    const event = urlEvent(body);
    const handler = open();
    expect(await Promise.all([handler(event), handler(event), open()(event)].map(async (answer) => (await answer).statusCode))).toEqual(
      expect.arrayContaining([200, 401, 401]),
    );
    expect(problems).toEqual(Array(2).fill(expect.stringContaining('it came before')));
  });

  it('remembers a request for as long as its signature is good', async () => {
    const event = urlEvent(body, { headers: world.slack.sign(body, world.clock.now() + 299_000) });
    const handler = open();
    expect((await handler(event)).statusCode).toBe(200);
    for (const _ of [1, 2, 3]) {
      await world.run(199_000);
      expect((await handler(event)).statusCode).toBe(401);
    }
  });

  it.each<[string, (text: string) => unknown]>([
    [
      'that is forged',
      (text) => urlEvent(text, { headers: world.slack.sign(text, world.clock.now(), 'a secret that nobody has, 32 long') }),
    ],
    ['that is old', (text) => urlEvent(text, { headers: world.slack.sign(text, world.clock.now() - 301_000) })],
    ['from the future', (text) => urlEvent(text, { headers: world.slack.sign(text, world.clock.now() + 302_000) })],
    ['without a signature', (text) => urlEvent(text, { headers: {} })],
    ['that is none', () => 'hello'],
  ])('refuses a request %s without a word, and changes nothing', async (_, make) => {
    expect(await open()(make(body))).toEqual({ statusCode: 401, body: '' });
    expect(await states()).toBe('awaiting-approval');
  });

  it.each<[string, string]>([
    ['a check of the address', 'ssl_check=1&token=x'],
    ['another kind of interaction', `payload=${encodeURIComponent('{"type":"view_submission","user":{"id":"U0ADA00001"}}')}`],
    ['something that is no JSON', 'payload=%7B'],
    ['nothing', ''],
  ])('answers %s and does nothing', async (_, text) => {
    expect((await open()(urlEvent(text))).statusCode).toBe(200);
    expect(await states()).toBe('awaiting-approval');
  });

  it.each<[string, (text: string) => string]>([
    ['another incident', (text) => text.replace(/v1%7C[0-9a-f]{12}/g, 'v1%7C000000000000')],
    ['a part of its id', (text) => text.replace(/v1%7C([0-9a-f]{8})[0-9a-f]{4}/g, 'v1%7C$1****')],
    ['another plan', (text) => text.replace(/(v1%7C[0-9a-f]{12}%7C)[0-9a-f]{4}/g, '$10000')],
    ['another state', (text) => text.replaceAll('awaiting-approval', 'reported')],
    ['something that is no button of ours', (text) => text.replaceAll('kubemend.approve', 'kubemend.pause')],
  ])('approves nothing when a button names %s', async (_, bend) => {
    const bentBody = bend(body);
    expect(bentBody).not.toBe(body);
    expect((await open()(urlEvent(bentBody))).statusCode).toBe(200);
    expect(await states()).toBe('awaiting-approval');
  });

  it('takes nobody when the list of approvers is empty', async () => {
    expect((await open({ approvers: [] })(urlEvent(body))).statusCode).toBe(200);
    expect([await states(), world.slack.whispers.length]).toEqual(['awaiting-approval', 1]);
  });

  it('sends nothing to an address that is not of Slack, whatever the click names', async () => {
    await open({ approvers: [], answerOrigins: ['https://hooks.slack.com'] })(urlEvent(body));
    expect(world.slack.whispers).toEqual([]);
    expect(problems.join()).toContain('not Slack’s');
  });

  it('lets the one who clicks know when the state does not answer in time, or at all', async () => {
    const never = new Promise<never>(() => undefined);
    const state = Object.assign(Object.create(world.state) as typeof world.state, { load: () => never });
    expect((await open({ state, wait: async () => undefined })(urlEvent(body))).statusCode).toBe(503);
    const broken = Object.assign(Object.create(world.state) as typeof world.state, { lease: () => Promise.reject(new Error('no table')) });
    expect((await open({ state: broken })(urlEvent(`${body}&again`))).statusCode).toBe(503);
    expect([await states(), problems.join()]).toEqual(['awaiting-approval', expect.stringContaining('no table')]);
  });

  it('does not complain of being late when it was not, however long the clock runs on', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    expect((await open({ wait: () => promise })(urlEvent(body))).statusCode).toBe(200);
    resolve();
    await delay(0);
    expect(problems).toEqual([]);
  });
});
