import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../shared/incident.ts';
import type { Toy } from '../toy-remediation.ts';
import { SlackWorld } from './slack-world.ts';

/** What became of the toy's failure while Slack was as `trouble` makes it. */
async function remediate(
  toy: Toy,
  trouble: (world: SlackWorld) => void,
): Promise<{ incident: Incident; writes: unknown; world: SlackWorld }> {
  const world = await SlackWorld.start(toy);
  await world.mode('auto');
  trouble(world);
  await world.fact();
  for (let n = 0; n < 60; n += 1) {
    await world.run(60_000);
    await world.idle();
  }
  const { writes } = world.cluster;
  return { incident: await world.incident(), writes: writes.map(({ method, path }) => [method, path]), world };
}

describe('Slack never changes a remediation', () => {
  it.each<[string, (world: SlackWorld) => void]>([
    ['does not answer', ({ slack }) => Object.assign(slack, { weather: 'away' })],
    ['answers with errors', ({ slack }) => Object.assign(slack, { weather: 'error' })],
    ['takes messages and its answers are lost', ({ slack }) => Object.assign(slack, { weather: 'lost' })],
    ['knows the token no more', ({ slack }) => Object.assign(slack, { refuse: 'token_revoked' })],
    ['refuses every message', ({ slack }) => Object.assign(slack, { refuse: 'invalid_blocks' })],
  ])('when it %s for an hour: the same history, to the second', async (_, trouble) => {
    const [fine, troubled] = [await remediate({}, () => undefined), await remediate({}, trouble)];
    expect(troubled.incident).toEqual(fine.incident);
    expect([fine.incident.state, troubled.writes]).toEqual(['verified', fine.writes]);
    expect(troubled.world.problems.length).toBeGreaterThan(0);
    Object.assign(troubled.world.slack, { weather: 'fine', refuse: undefined });
    await troubled.world.pass(900_000);
    const told = troubled.world.slack.topLevel.map(({ text }) => text).at(-1);
    if (!_.startsWith('refuses')) expect(told).toContain('is verified');
    for (const { world } of [fine, troubled]) await world.close();
  });

  it('when it says nothing at all: nobody waits for it', async () => {
    const world = await SlackWorld.start();
    await world.mode('auto');
    world.slack.weather = 'silent';
    await world.fact();
    for (const deadline = Date.now() + 20_000; world.slack.silent.length === 0 && Date.now() < deadline; ) await immediate();
    await world.run(300_000);
    const [{ state }, silent] = [await world.incident(), structuredClone(world.slack.silent)];
    await world.slack.stop();
    await world.shut();
    expect([state, silent]).toEqual(['verified', [{ gone: false }]]);
  });

  it('when what is to be told cannot even be stored', async () => {
    const { incident, world } = await remediate({}, (one) => one.database.exec('DROP TABLE slack_letters'));
    expect([incident.state, world.problems.join()]).toEqual(['verified', expect.stringContaining('slack_letters')]);
    await world.close();
  });
});
