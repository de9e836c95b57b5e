import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IncidentChanged } from '../../../events/incident-changed.ts';
import { slack as slackApi } from '../../../shared/slack/client.ts';
import { SqliteLetters } from '../../../shared/slack/sqlite-letters.ts';
import { openDatabase, SqliteState } from '../../../shared/state/sqlite.ts';
import { change, EPOCH } from '../../../test/slack/changes.ts';
import { SlackServer } from '../../../test/slack/server.ts';
import { VirtualClock } from '../../../test/virtual-clock.ts';
import { Notifier } from './notifier.ts';

let clock: VirtualClock;
let slack: SlackServer;
let database: ReturnType<typeof openDatabase>;
let problems: string[];
let token: string;
let notifier: Notifier;

const openNotifier = (owner = 'one'): Notifier =>
  new Notifier({
    slack: slackApi({ token: async () => token, api: slack.api }),
    ...{ channel: slack.channel, letters: new SqliteLetters(database, clock.now), state: new SqliteState(database), owner, now: clock.now },
    onProblem: (problem) => problems.push(problem),
  });

beforeEach(async () => {
  clock = new VirtualClock(EPOCH);
  slack = await new SlackServer(clock.now).start();
  database = openDatabase(':memory:');
  problems = [];
  token = slack.token;
  notifier = openNotifier();
});
afterEach(async () => {
  await slack.stop();
  database.close();
  expect(slack.violations).toEqual([]);
});

/** Tells what is pending; time passes as far as Slack asks for, at most `ms`. */
async function tell(ms = 3_600_000): Promise<void> {
  const end = clock.now() + ms;
  for (let calls = 0; calls < 2_000; calls += 1) {
    const again = await notifier.flush();
    if (again === undefined || again > end) return;
    clock.advanceTo(Math.max(again, clock.now() + 1));
  }
  throw new Error(`It is never told: ${problems.join('; ')}`);
}

const keep = async (...changes: IncidentChanged[]): Promise<void> => {
  for (const one of changes) await notifier.keep(one);
};
const texts = () =>
  slack.topLevel.map(({ text }) => text.replace(/^:\w+: Paint red widgets blue: widgets shop\//, '').replace(/ in prod is /, ' '));

describe('the Slack notifier', () => {
  it('tells a change that comes twice once, and never goes back to an older one', async () => {
    await keep(change(1, 2), change(1, 2));
    await tell();
    await keep(change(1, 4));
    await tell();
    const calls = slack.calls.length;
    await keep(change(1, 3), change(1, 2), change(1, 4));
    await tell();
    expect([texts(), slack.calls.length]).toEqual([['w-1 executing. it is so'], calls]);
    expect(slack.topLevel[0]?.edits).toHaveLength(1);
  });

  it.each([[[2, 3, 4, 5, 6]], [[6, 5, 4, 3, 2]], [[4, 2, 6, 3, 5]]])(
    'ends at the newest state in one message when changes come as %j',
    async (order) => {
      for (const n of order) {
        await keep(change(1, n));
        await tell();
      }
      expect(texts()).toEqual(['w-1 verified. it is so']);
      expect(slack.thread(slack.topLevel[0]?.ts ?? '')).toHaveLength(1);
    },
  );

  it('is one sender, though several processes have the same to tell', async () => {
    slack.postEvery = 0;
    const others = ['two', 'three'].map(openNotifier);
    await Promise.all([notifier, ...others].map((one) => one.keep(change(1, 3))));
    await Promise.all([notifier, ...others].map((one) => one.flush()));
    clock.advanceTo(clock.now() + 2_000);
    await Promise.all([notifier, ...others].map((one) => one.flush()));
    await tell();
    expect(texts()).toEqual(['w-1 awaiting-approval. it is so']);
  });

  it('tells everything in order after an hour without Slack, and across a restart', async () => {
    slack.weather = 'away';
    for (let n = 2; n <= 6; n += 1) await keep(change(3, n), change(1, n), change(2, n));
    await keep(change(4, 3));
    await tell(1_800_000);
    notifier = openNotifier('the next process');
    await tell(1_800_000);
    expect([slack.messages, problems.length]).toEqual([[], 2]);
    slack.weather = 'fine';
    await tell();
    expect(texts()).toEqual([
      'w-1 verified. it is so',
      'w-2 verified. it is so',
      'w-3 verified. it is so',
      'w-4 awaiting-approval. it is so',
    ]);
    for (const { ts, blocks } of slack.topLevel.slice(0, 3)) {
      const states = [...JSON.stringify(blocks).matchAll(/(?:→ |")(\w[\w-]+) <!date/g)].map(([, state]) => state);
      expect(states).toEqual(['detected', 'planned', 'awaiting-approval', 'executing', 'applied', 'verified']);
      expect(slack.thread(ts)).toHaveLength(1);
    }
  });

  it('leaves one message too many at most when answers do not arrive', async () => {
    slack.weather = 'lost';
    await keep(change(1, 2));
    await tell(1_800_000);
    expect(slack.messages).toHaveLength(1);
    slack.weather = 'fine';
    await tell();
    await keep(change(1, 6));
    await tell();
    expect(texts()).toEqual(['w-1 planned. it is so', 'w-1 verified. it is so']);
  });

  it('waits as long as Slack says when others post too', async () => {
    const busy = () => slackApi({ token: async () => token, api: slack.api }).post(slack.channel, { text: 'hello', blocks: [] });
    await busy();
    await keep(change(1, 2));
    await tell();
    expect([slack.limited, slack.topLevel.length]).toEqual([1, 2]);
  });

  it.each<[string, { token?: string; refuse?: string }, RegExp]>([
    ['the token is wrong', { token: 'xoxb-old' }, /the bot token is wrong: give the "Bot User OAuth Token"/],
    ['it is not in the channel', { refuse: 'not_in_channel' }, /invite it there/],
    ['the scope is missing', { refuse: 'missing_scope' }, /add it and reinstall/],
  ])('says once what to do when %s, and tells everything when it is done', async (_, wrong, says) => {
    token = wrong.token ?? token;
    slack.refuse = wrong.refuse;
    await keep(change(1, 2));
    await tell(600_000);
    expect(problems).toEqual([expect.stringMatching(says)]);
    token = slack.token;
    slack.refuse = undefined;
    await tell();
    expect(texts()).toEqual(['w-1 planned. it is so']);
  });

  it('posts anew what somebody deleted, since a decision may depend on it', async () => {
    await keep(change(1, 2));
    await tell();
    slack.remove(slack.topLevel[0]?.ts ?? '');
    await keep(change(1, 3));
    await tell();
    expect(texts()).toEqual(['w-1 awaiting-approval. it is so']);
  });

  it('tells the words alone when Slack refuses the blocks, and the next incident all the same', async () => {
    slack.refuse = 'invalid_blocks';
    await keep(change(1, 2));
    expect(await notifier.flush()).toBeGreaterThan(clock.now());
    slack.refuse = undefined;
    await keep(change(2, 2));
    await tell();
    expect(slack.topLevel.map(({ blocks }) => blocks.length > 0)).toEqual([false, true]);
  });

  it('leaves what Slack refuses for good, says so, and goes on', async () => {
    slack.refuse = 'invalid_blocks';
    await keep(change(1, 2));
    await tell();
    slack.refuse = undefined;
    await keep(change(2, 2));
    await tell();
    expect([texts(), problems]).toEqual([
      ['w-2 planned. it is so'],
      [expect.stringContaining('is not told. See it with: kubemend incidents')],
    ]);
  });
});

describe('a storm of incidents', () => {
  const many = Array.from({ length: 30 }, (_, which) => which);

  it('becomes five messages and one summary that is updated, whose thread holds those that need a person', async () => {
    await keep(...many.map((which) => change(which, 2)));
    await tell();
    expect(slack.topLevel).toHaveLength(6);
    expect(slack.topLevel.at(-1)?.text).toMatch(/^:large_blue_circle: 25 more incidents of example\/mend-widgets in prod: 25 planned$/);
    await keep(...many.map((which) => change(which, which < 27 ? 6 : 3)));
    await tell();
    expect(slack.topLevel).toHaveLength(6);
    const summary = slack.topLevel.at(-1);
    expect(summary?.text).toMatch(
      /^:large_orange_circle: 25 more incidents .*: (22 verified, 3 awaiting-approval|3 awaiting-approval, 22 verified)$/,
    );
    const thread = slack.thread(summary?.ts ?? '');
    expect(thread.map(({ text }) => /shop\/(w-\d+) in prod is ([\w-]+)/.exec(text)?.slice(1))).toEqual(
      ['w-27', 'w-28', 'w-29'].map((name) => [name, 'awaiting-approval']),
    );
    expect(thread.every((message) => slack.buttons(message).length === 3)).toBe(true);
    await keep(change(28, 6));
    await tell();
    expect(slack.thread(summary?.ts ?? '')[1]?.text).toContain('w-28 in prod is verified');
    expect(summary?.text).toContain('23 verified');
  });

  it('is told in at most one call per incident and state, however many come', async () => {
    await keep(...many.map((which) => change(which, 2)));
    await tell();
    // 5 messages with their threads, the summary, and its updates.
    expect(slack.calls.length).toBeLessThan(45);
  });

  it('is over when it was quiet; the next incident has a message of its own, and the old summary still follows its own', async () => {
    await keep(...many.slice(0, 8).map((which) => change(which, 2)));
    await tell();
    const summary = slack.topLevel.at(-1);
    clock.advanceTo(clock.now() + 700_000);
    await keep(change(20, 2, { at: clock.now() }), change(7, 6));
    await tell();
    expect(texts().at(-1)).toBe('w-20 planned. it is so');
    expect(summary?.text).toContain('2 planned, 1 verified');
  });

  it('of one remediation does not silence another', async () => {
    await keep(...many.slice(0, 8).map((which) => change(which, 2)));
    await keep({ ...change(9, 2), remediation: 'example/other' });
    await tell();
    expect(texts().some((text) => text.startsWith('w-9 planned'))).toBe(true);
  });
});
