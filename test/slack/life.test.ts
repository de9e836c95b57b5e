import { afterEach, describe, expect, it } from '@jest/globals';
import type { Toy } from '../toy-remediation.ts';
import { widgetPath } from '../toy-remediation.ts';
import { SlackWorld } from './slack-world.ts';

const worlds: SlackWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.close();
    expect(world.slack.violations).toEqual([]);
  }
});

async function start(toy: Toy = {}, mode: 'shadow' | 'approve' | 'auto' = 'approve'): Promise<SlackWorld> {
  const world = await SlackWorld.start(toy);
  worlds.push(world);
  await world.mode(mode);
  return world;
}

/** An incident whose plan waits for approval, told. */
async function awaiting(toy: Toy = {}): Promise<SlackWorld> {
  const world = await start(toy);
  await world.fact();
  await world.pass(40_000);
  expect((await world.incident()).state).toBe('awaiting-approval');
  return world;
}

const only = ({ slack }: SlackWorld) => {
  expect(slack.topLevel).toHaveLength(1);
  return slack.topLevel[0] as (typeof slack.topLevel)[number];
};
const shown = ({ blocks }: { blocks: unknown[] }): string => JSON.stringify(blocks);
const color = (world: SlackWorld) => world.cluster.get(widgetPath('a'))?.spec?.color;
const BOB = { id: 'U0BOB00002', username: 'bob' };

describe('the life of an incident in Slack', () => {
  it('is one message, from the plan over a click to the proof, with the evidence once in its thread', async () => {
    const world = await awaiting();
    const message = only(world);
    expect(shown(message)).toContain('spec.color`: `\\"red\\"` → `\\"blue\\"`');
    expect(world.slack.buttons(message).map(({ action_id: id }) => id)).toEqual(['kubemend.approve', 'kubemend.reject', 'kubemend.snooze']);
    expect(await world.slack.send(world.url, world.slack.click(message, 'approve'))).toBe(200);
    await world.pass(120_000);
    expect(await world.states()).toEqual(['detected', 'planned', 'awaiting-approval', 'executing', 'applied', 'verified']);
    expect(only(world).ts).toBe(message.ts);
    expect(message.text).toContain(' is verified. ');
    expect(message.edits.join('\n')).toMatch(/is planned.*is awaiting-approval.*is (executing|applied)/s);
    const timeline = [...shown(message).matchAll(/(?:→ |")(\w[\w-]+) <!date/g)].map(([, state]) => state);
    expect(timeline).toEqual(['detected', 'planned', 'awaiting-approval', 'executing', 'applied', 'verified']);
    expect(shown(message)).toContain('example/widgets/issues/1');
    expect(world.slack.buttons(message)).toEqual([]);
    expect(world.slack.thread(message.ts).map(({ text }) => text)).toEqual([expect.stringContaining('Evidence of plan')]);
    expect((await world.incident()).approval?.by).toBe('ada (Slack U0ADA00001)');
    expect(color(world)).toBe('blue');
    expect(world.problems).toEqual([]);
  });

  it('says nothing of an object that turned out healthy', async () => {
    const world = await start({ instead: ({ question }) => (question === 'detect' ? { kind: 'clear', because: 'fine' } : undefined) });
    await world.fact();
    await world.pass(120_000);
    expect([(await world.incident()).state, world.slack.calls]).toEqual(['cleared', []]);
  });

  it('goes on in the same message after a restart of who tells it', async () => {
    const world = await awaiting();
    const { ts } = only(world);
    await world.shut();
    await world.say({ kind: 'reject', by: 'Bob', because: 'no' });
    await world.open();
    await world.restart();
    await world.pass(5_000);
    expect([only(world).ts, only(world).text]).toEqual([ts, expect.stringContaining('is refused. Bob rejected it: no')]);
  });

  it('is told by the sweep when the bus lost it', async () => {
    const world = await start();
    await world.pass(1_000);
    const { publish } = world.bus;
    world.bus.publish = async () => undefined;
    await world.fact();
    await world.run(40_000);
    expect(world.slack.calls).toEqual([]);
    world.bus.publish = publish;
    await world.pass(60_000);
    expect(only(world).text).toContain('is awaiting-approval');
  });
});

describe('a click', () => {
  it('and another at the same moment are one execution; the second is told alone who was first', async () => {
    const world = await awaiting();
    const message = only(world);
    const clicks = [world.slack.click(message, 'approve'), world.slack.click(message, 'approve', BOB)];
    expect(await Promise.all(clicks.map((body) => world.slack.send(world.url, body)))).toEqual([200, 200]);
    await world.pass(120_000);
    expect(world.cluster.writes.map(({ path }) => path)).toEqual([widgetPath('a')]);
    const { approval, history } = await world.incident();
    expect(history.filter(({ because }) => because.includes('approved plan'))).toHaveLength(1);
    const [first, second] = approval?.by.startsWith('ada') ? ['ada', 'bob'] : ['bob', 'ada'];
    expect(world.slack.whispers).toEqual([
      expect.objectContaining({
        response_type: 'ephemeral',
        replace_original: false,
        text: expect.stringMatching(`^${first} .* was first: ${first} .* approved plan`),
      }),
    ]);
    expect(second).not.toBe(first);
  });

  it('on a plan that is not the plan any more changes nothing and shows the new plan with its buttons, which count', async () => {
    const world = await awaiting();
    const stale = structuredClone(only(world));
    world.cluster.change(widgetPath('a'), { spec: { wish: 'green' } });
    await world.pass(900_000);
    expect((await world.incident()).state).toBe('expired');
    await world.slack.send(world.url, world.slack.click(only(world), 'rerun'));
    await world.pass(40_000);
    expect((await world.incident()).state).toBe('awaiting-approval');
    await world.slack.send(world.url, world.slack.click(stale, 'approve'));
    await world.pass(5_000);
    const [whisper] = world.slack.whispers as { text: string; blocks: Record<string, unknown>[] }[];
    expect([whisper?.text, JSON.stringify(whisper?.blocks)]).toEqual([
      expect.stringContaining('The plan has changed'),
      expect.stringContaining('green'),
    ]);
    expect([color(world), world.cluster.writes]).toEqual(['red', []]);
    await world.slack.send(world.url, world.slack.click(whisper as never, 'approve'));
    await world.pass(40_000);
    expect(color(world)).toBe('green');
  });

  it('on Run again in a message about an older plan shows the plan there is', async () => {
    const world = await awaiting();
    await world.pass(900_000);
    const stale = structuredClone(only(world));
    world.cluster.change(widgetPath('a'), { spec: { wish: 'green' } });
    await world.slack.send(world.url, world.slack.click(only(world), 'rerun'));
    await world.pass(960_000);
    expect((await world.incident()).state).toBe('expired');
    await world.slack.send(world.url, world.slack.click(stale, 'rerun'));
    await world.pass(5_000);
    expect([(await world.incident()).state, world.slack.whispers]).toEqual([
      'expired',
      [expect.objectContaining({ text: expect.stringContaining('The plan has changed') })],
    ]);
  });

  it.each<[string, string | undefined, { id: string; username: string }, RegExp]>([
    ['of somebody who is not on the list', 'approve', { id: 'U0EVE00003', username: 'eve' }, /not on the list/],
    ['of somebody who calls himself like one who is', 'approve', { id: 'U0EVE00003', username: 'U0ADA00001' }, /not on the list/],
  ])('%s changes nothing', async (_, ask = '', user, says) => {
    const world = await awaiting();
    expect(await world.slack.send(world.url, world.slack.click(only(world), ask, user))).toBe(200);
    await world.pass(5_000);
    expect((await world.incident()).state).toBe('awaiting-approval');
    expect(world.slack.whispers).toEqual([expect.objectContaining({ text: expect.stringMatching(says) })]);
  });

  it('on Reject ends it, and no fact opens it again today', async () => {
    const world = await awaiting();
    await world.slack.send(world.url, world.slack.click(only(world), 'reject'));
    await world.pass(5_000);
    await world.fact();
    await world.pass(60_000);
    expect([(await world.incident()).state, (await world.state.list()).length]).toEqual(['refused', 1]);
    expect(only(world).text).toContain('ada (Slack U0ADA00001) rejected it');
  });

  it('on Approve while kubemend is paused is not recorded, and says so to the one who clicked; after it the same button counts', async () => {
    const world = await awaiting();
    await world.state.set('paused', 'eve');
    await world.slack.send(world.url, world.slack.click(only(world), 'approve'));
    await world.idle();
    expect(world.slack.whispers[0]?.text).toMatch(/your approval was not recorded: kubemend is paused\. To go on, run: kubemend resume/);
    expect((await world.incident()).state).toBe('awaiting-approval');
    await world.state.set('paused', undefined);
    // The very same request would be a copy.
    await world.pass(2_000);
    await world.slack.send(world.url, world.slack.click(only(world), 'approve'));
    await world.pass(60_000);
    expect((await world.incident()).state).toBe('verified');
  });

  it('on Snooze asks nobody for an hour, whatever comes, then asks again with a plan made then, and tells the channel', async () => {
    const world = await awaiting();
    const message = only(world);
    const { plan } = await world.incident();
    await world.slack.send(world.url, world.slack.click(message, 'snooze'));
    await world.pass(60_000);
    await world.fact();
    await world.pass(1_800_000);
    expect([(await world.incident()).state, world.slack.buttons(message).length]).toEqual(['waiting', 1]);
    expect(message.text).toMatch(/put it off: it is looked at anew at 01:00 UTC/);
    await world.pass(1_800_000);
    const later = await world.incident();
    expect([later.state, later.plan?.hash]).toEqual(['awaiting-approval', plan?.hash]);
    expect(later.plan?.madeAt).toBeGreaterThan((plan?.madeAt ?? 0) + 3_500_000);
    const thread = world.slack.thread(message.ts);
    expect(thread.map(({ broadcast }) => broadcast === true)).toEqual([false, true]);
    await world.slack.send(world.url, world.slack.click(message, 'approve'));
    await world.pass(60_000);
    expect(color(world)).toBe('blue');
  });

  it('that could not be stored is told to the one who clicked, and nothing is done', async () => {
    const world = await awaiting();
    const { save } = world.state;
    world.state.save = async () => Promise.reject(new Error('the disk is full'));
    expect(await world.slack.send(world.url, world.slack.click(only(world), 'approve'))).toBe(200);
    await world.idle();
    expect(world.slack.whispers[0]?.text).toMatch(/could not be taken, so nothing was done/);
    world.state.save = save;
    expect([(await world.incident()).state, color(world)]).toEqual(['awaiting-approval', 'red']);
    expect(world.problems.join()).toContain('the disk is full');
  });
});
