import { setTimeout as delay } from 'node:timers/promises';
import type { ApiProxy } from './api-proxy.ts';
import type { LogRelay } from './log-relay.ts';
import type { Scenario, World } from './scenario.ts';
import type { SmallDisk } from './small-disk.ts';
import type { Mood } from './stub-put-events.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const usual = { short: 3_500, long: MINUTE };

/** The moods in turns; only a `share` of the requests meets them. */
async function moods(world: World, each: Mood[], share = 1): Promise<void> {
  let turn = 0;
  world.bus.mood = () => (Math.random() < share ? (each[turn % each.length] as Mood) : 'takes');
  await world.every(1_000, 5_000, () => {
    turn++;
  });
  world.bus.mood = () => 'takes';
}

const killing = (world: World) => world.every(1_300, 5_000, () => world.exporter.kill());

async function fillAndEmpty({ disk, lasts, exporter }: World): Promise<void> {
  const { fill, empty } = disk as SmallDisk;
  const times = lasts > MINUTE / 2 ? 4 : 1;
  for (let i = 0; i < times; i++) {
    await fill();
    // Long enough to be sent audit that cannot be kept.
    await delay((lasts / times) * 0.7);
    // Starting on a full disk is worse than running on one.
    await exporter.kill();
    await delay((lasts / times) * 0.3);
    await empty();
    await exporter.untilReady();
    await delay(SECOND);
  }
}

const rotating = (world: World) => world.every(600, 2_000, () => (world.relay as LogRelay).rotate());

const expiring = (how: 'connect' | 'stream') => (world: World) =>
  world.every(1_000, 5_000, () => (world.proxy as ApiProxy).expire(how, 1_000));

async function restarting({ lasts, exporter, restartApiServer }: World): Promise<void> {
  const times = lasts > MINUTE / 2 ? 4 : 1;
  for (let i = 0; i < times; i++) {
    await delay(SECOND);
    await restartApiServer(500);
    await exporter.untilReady();
    await delay(SECOND);
  }
}

/** While the exporter is dead, what it saw last is compacted away, and the API server forgets it, too. */
async function compacting({ lasts, exporter, compact, restartApiServer }: World): Promise<void> {
  const times = lasts > MINUTE / 2 ? 3 : 1;
  for (let i = 0; i < times; i++) {
    await delay(SECOND);
    await exporter.halt();
    await delay(SECOND);
    await compact();
    await restartApiServer(0);
    exporter.start();
    await exporter.untilReady();
    await delay(SECOND);
  }
}

/** Rows that need nothing but an exporter and its bus, and those that trouble what all share. */
export const scenarios: Scenario[] = [
  { name: 'kill -9, audit log file', lossless: true, lasts: { short: 6 * SECOND, long: 2 * MINUTE }, trouble: killing },
  { name: 'kill -9, audit webhook', audit: 'webhook', lossless: true, lasts: { short: 6 * SECOND, long: 2 * MINUTE }, trouble: killing },
  { name: 'disk full, and kill -9, audit log file', disk: 'small', lossless: true, lasts: usual, trouble: fillAndEmpty },
  { name: 'audit log renamed mid-write', audit: 'rename', lossless: true, lasts: usual, trouble: rotating },
  { name: 'audit log copied and truncated', audit: 'copytruncate', lasts: usual, trouble: rotating },
  { name: '410 at connect', proxy: true, lasts: usual, trouble: expiring('connect') },
  { name: '410 in the stream', proxy: true, lasts: usual, trouble: expiring('stream') },
  {
    name: 'bus away',
    lossless: true,
    lasts: { short: 4 * SECOND, long: 10 * MINUTE },
    async trouble({ bus, lasts }) {
      await bus.away();
      await delay(lasts);
      await bus.listen();
    },
  },
  { name: 'PutEvents fails per entry', lossless: true, lasts: usual, trouble: (world) => moods(world, ['refuses some']) },
  { name: 'PutEvents throttles', lossless: true, lasts: usual, trouble: (world) => moods(world, ['throttles', 'takes']) },
  { name: 'PutEvents times out', lossless: true, lasts: usual, trouble: (world) => moods(world, ['takes and hangs'], 0.3) },
  {
    name: 'PutEvents resets and answers 5xx',
    lossless: true,
    lasts: usual,
    trouble: (world) => moods(world, ['takes and resets', 'fails', 'takes and fails'], 0.7),
  },
  {
    name: 'disk full, and kill -9, audit webhook',
    ...{ audit: 'webhook', disk: 'small', lossless: true, lasts: usual },
    trouble: fillAndEmpty,
  },
  { name: 'API server restarted', alone: true, lasts: usual, trouble: restarting },
  { name: 'etcd compacted, exporter dead', alone: true, lasts: usual, trouble: compacting },
  {
    name: 'all of it together',
    alone: true,
    audit: 'rename',
    disk: 'small',
    proxy: true,
    lasts: { short: 8 * SECOND, long: 4 * MINUTE },
    trouble: everything,
  },
];

async function everything(world: World): Promise<void> {
  const { bus, disk, lasts, every } = world;
  const sickly = moods(world, ['refuses some', 'takes and resets', 'throttles', 'takes and fails', 'takes and hangs'], 0.5);
  const lives = Promise.all([
    every(2_500, 7_000, () => world.exporter.kill()),
    every(900, 3_000, () => (world.relay as LogRelay).rotate()),
    // A cut at connect waits for the exporter, which may be dead or behind a full disk.
    every(4_000, 20_000, () => Promise.race([(world.proxy as ApiProxy).expire('stream', 500), delay(5_000)])),
    every(3_000, 45_000, async () => {
      await (disk as SmallDisk).fill();
      await delay(1_000);
      await (disk as SmallDisk).empty();
    }),
    every(4_000, 60_000, async () => {
      await bus.away();
      await delay(lasts / 10);
      await bus.listen();
    }),
    every(lasts / 2, lasts / 3, () => world.restartApiServer(200)),
  ]);
  await Promise.all([sickly, lives]);
}
