import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DeadLetterFile } from '../sink/dead-letters.ts';
import { fact, folder } from '../testdata/spooling.ts';
import { CheckpointFile } from './checkpoint-file.ts';

function open(path: string) {
  const problems: string[] = [];
  return { file: new CheckpointFile(path, (message) => void problems.push(message)), problems };
}

describe('CheckpointFile', () => {
  it('keeps the value written last across restarts, and nothing else', async () => {
    const directory = join(folder(), 'made', 'when', 'needed');
    const path = join(directory, 'source.json');
    const { file } = open(path);
    expect(file.read()).toBeUndefined();
    await Promise.all([1, 2, 3].map((offset) => file.write({ inode: 7, offset })));
    const { file: again, problems } = open(path);
    expect(again.read()).toEqual({ inode: 7, offset: 3 });
    expect(again.isDamaged).toBe(false);
    expect(readdirSync(directory)).toEqual(['source.json']);
    expect(problems).toEqual([]);
  });

  it('keeps the value before when a write fails', async () => {
    const path = join(folder(), 'source.json');
    const { file } = open(path);
    await file.write('before');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => file.write(circle)).toThrow();
    const { file: elsewhere } = open('/dev/null/nowhere/source.json');
    await expect(elsewhere.write('x')).rejects.toThrow(/ENOTDIR|EEXIST|ENOENT/);
    await expect(elsewhere.write('y')).rejects.toThrow();
    await file.write('after');
    expect(open(path).file.read()).toBe('after');
  });

  it('is taken for missing, and says so, with any byte changed or missing', async () => {
    const path = join(folder(), 'source.json');
    await open(path).file.write({ offset: 12_345 });
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length - 1; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 1;
      for (const bytes of [changed, whole.subarray(0, at)]) {
        writeFileSync(path, bytes);
        const { file, problems } = open(path);
        expect(file.read()).toBeUndefined();
        expect(file.isDamaged).toBe(true);
        expect(problems).toEqual([expect.stringContaining('is damaged')]);
      }
    }
  });
});

describe('DeadLetterFile', () => {
  it('keeps each fact with its reason, and never more than twice its size', async () => {
    const directory = folder();
    const path = join(directory, 'dead-letters.ndjson');
    const problems: string[] = [];
    const letters = new DeadLetterFile({ path, now: () => 0, onProblem: (message) => void problems.push(message), most: 1_000 });
    for (let i = 0; i < 30; i++) await letters.add(fact(`fact-${i}`), 'MalformedDetail');
    expect(letters.count).toBe(30);
    expect(readdirSync(directory).sort()).toEqual(['dead-letters.ndjson', 'dead-letters.ndjson.1']);
    const last = readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toEqual({ at: '1970-01-01T00:00:00.000Z', because: 'MalformedDetail', fact: fact('fact-29') });
    expect(readFileSync(path).length + readFileSync(`${path}.1`).length).toBeLessThan(2_600);
    expect(problems.at(-1)).toContain('fact-29');
  });

  it('prints the whole fact when it cannot be kept', async () => {
    const problems: string[] = [];
    const letters = new DeadLetterFile({ path: '/dev/null/x', now: () => 0, onProblem: (message) => void problems.push(message) });
    await letters.add(fact('lost'), 'MalformedDetail');
    expect(problems).toEqual([expect.stringContaining(JSON.stringify(fact('lost')))]);
  });
});
