import { examineLife, type LifeReport } from './verdicts.ts';

export interface Lives {
  lives: number;
  incidents: number;
  writes: number;
  hung: number;
  unknown: number;
  double: number;
  wrong: number;
  stuck: number;
  lost: number;
  /** One text for each life that broke a promise: its seed, what it broke, and everything that happened in it. */
  broken: string[];
}

/** Lives `count` lives from `seed` on. */
export async function liveMany({
  count,
  seed,
  progress,
}: {
  count: number;
  seed: number;
  progress?: (lives: Lives) => void;
}): Promise<Lives> {
  const lives: Lives = { lives: 0, incidents: 0, writes: 0, hung: 0, unknown: 0, double: 0, wrong: 0, stuck: 0, lost: 0, broken: [] };
  for (let n = 0; n < count; n += 1) {
    const life = await examineLife(seed + n);
    add(lives, life);
    progress?.(lives);
  }
  return lives;
}

function add(lives: Lives, life: LifeReport): void {
  lives.lives += 1;
  for (const key of ['incidents', 'writes', 'hung', 'unknown'] as const) lives[key] += life[key];
  for (const key of ['double', 'wrong', 'stuck'] as const) lives[key] += life.broken.filter((line) => line.startsWith(key)).length;
  lives.lost += life.broken.filter((line) => /^(lost|invented)/.test(line)).length;
  if (life.broken.length > 0) lives.broken.push(`Seed ${life.seed}:\n${life.broken.join('\n')}\n${life.log.join('\n')}`);
}
