import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { INCIDENT_CHANGED, type IncidentChanged } from '../../../events/incident-changed.ts';
import { slack as slackApi } from '../../../shared/slack/client.ts';
import { SqliteLetters } from '../../../shared/slack/sqlite-letters.ts';
import { change } from '../../../test/slack/changes.ts';
import { SlackServer } from '../../../test/slack/server.ts';
import { ToyWorld } from '../../../test/toy-world.ts';
import { makeNotifySlack } from './index.ts';

let world: ToyWorld;
let slack: SlackServer;
let waits: number[];

beforeEach(async () => {
  world = new ToyWorld();
  slack = await new SlackServer(world.clock.now).start();
  waits = [];
});
afterEach(async () => {
  await slack.stop();
  expect(slack.violations).toEqual([]);
});

const open = () =>
  makeNotifySlack(() => ({
    slack: slackApi({ token: async () => slack.token, api: slack.api }),
    ...{
      channel: slack.channel,
      state: world.state,
      letters: new SqliteLetters(world.database, world.clock.now),
      owner: 'a',
      now: world.clock.now,
    },
    onProblem: (problem) => world.problems.push(problem),
    about: (name) => (name === world.remediation.name ? world.remediation : undefined),
    async wait(ms) {
      waits.push(ms);
      world.clock.advanceTo(world.clock.now() + ms);
    },
  }));
const time = '2026-11-21T04:00:00Z';
const told = (detail: IncidentChanged | { id: string }, over = {}) => ({
  id: 'e1',
  source: 'kubemend',
  'detail-type': INCIDENT_CHANGED,
  time,
  detail,
  ...over,
});
const tick = { id: 'e2', source: 'aws.events', 'detail-type': 'Scheduled Event', time, detail: {} };
const context = (ms: number) => ({ getRemainingTimeInMillis: () => ms });

describe('the Lambda that tells Slack', () => {
  it('keeps a change and tells it, with its evidence a second later', async () => {
    expect(await open()(told(change(1, 3)), context(30_000))).toEqual({ taken: true, again: undefined });
    expect([slack.topLevel.length, slack.messages.length, waits]).toEqual([1, 2, [1_000]]);
  });

  it('leaves to the schedule what its time does not suffice for, and does not fail when Slack is away', async () => {
    slack.weather = 'away';
    const handler = open();
    expect(await handler(told(change(1, 3)), context(12_500))).toEqual({ taken: true, again: expect.any(Number) });
    expect(await handler(told(change(2, 3)), context(12_500))).toMatchObject({ taken: true });
    slack.weather = 'fine';
    world.clock.advanceTo(world.clock.now() + 60_000);
    await open()(tick, context(30_000));
    expect(slack.topLevel).toHaveLength(2);
  });

  it('finds by itself what no event told, but nothing from before it was there', async () => {
    await world.fact();
    await world.run(40_000);
    const handler = open();
    await handler(tick, context(30_000));
    await handler(tick, context(30_000));
    expect(slack.calls).toEqual([]);
    await world.run(700_000);
    await world.say({ kind: 'reject', by: 'Ada', because: 'no' });
    await world.run(1_000);
    await handler(tick, context(30_000));
    expect(slack.topLevel.map(({ text }) => text)).toEqual([expect.stringContaining('is refused. Ada rejected it: no')]);
    await handler(tick, context(30_000));
    // The event that was late says nothing new.
    const late = world.told.at(-1) as IncidentChanged;
    await handler(told(late), context(30_000));
    expect(slack.calls.filter((call) => call === 'chat.update')).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['is none', 'hello', /no EventBridge event/],
    ['has no incident', told({ id: 'x' }), /is no Incident Changed: incident/],
    ['is replayed from an archive', told(change(1, 3), { 'replay-name': 'yesterday' }), /archive replay "yesterday"/],
  ])('answers an event that %s, and does not throw', async (_, event, because) => {
    expect(await open()(event)).toEqual({ taken: false, because: expect.stringMatching(because) });
    expect(slack.calls).toEqual([]);
  });

  it('throws when the change cannot be stored: then Lambda tries again', async () => {
    const handler = open();
    await handler(tick);
    world.database.close();
    await expect(handler(told(change(1, 3)))).rejects.toThrow('database is not open');
  });
});
