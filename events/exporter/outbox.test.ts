import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../fact.ts';
import { Outbox } from './outbox.ts';
import { UndeliveredError } from './sink.ts';
import { ManualClock, until } from './testdata/manual-clock.ts';

const fact = (id: string): Envelope => ({ id, source: 'kubernetes', 'detail-type': 'Object Changed', time: '', detail: {} });

function start(put: (events: Envelope[]) => Promise<void>, cap = 100) {
  const clock = new ManualClock(0);
  const problems: string[] = [];
  const outbox = new Outbox({
    sink: { put },
    wait: clock.wait,
    random: () => 0.5,
    onProblem: (message) => void problems.push(message),
    cap,
  });
  return { outbox, clock, problems };
}

describe('Outbox', () => {
  it('sends one batch after the other, in order', async () => {
    const sent: string[] = [];
    let running = 0;
    const { outbox } = start(async (events) => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      sent.push(...events.map(({ id }) => id));
      running--;
    });
    await Promise.all([outbox.add([fact('1')]), outbox.add([fact('2'), fact('3')]), outbox.add([])]);
    expect(sent).toEqual(['1', '2', '3']);
    expect(outbox.stats()).toEqual({ waiting: 0, sent: 3, lost: 0 });
  });

  it('repeats only what was not delivered, before anything newer', async () => {
    const batches: string[][] = [];
    const { outbox, clock, problems } = start(async (events) => {
      batches.push(events.map(({ id }) => id));
      if (batches.length === 1) throw new UndeliveredError('throttled', events.slice(1));
    });
    const first = outbox.add([fact('1'), fact('2')]);
    const second = outbox.add([fact('3')]);
    await until(() => clock.pending().length === 1);
    clock.advance(375);
    await Promise.all([first, second]);
    expect(batches).toEqual([
      ['1', '2'],
      ['2', '3'],
    ]);
    expect(problems).toEqual([expect.stringContaining('throttled')]);
  });

  it('loses the oldest above its cap, and says so', async () => {
    const { outbox, problems } = start(() => Promise.reject(new Error('down')), 2);
    for (const id of ['1', '2', '3', '4']) void outbox.add([fact(id)]);
    await until(() => problems.some((message) => message.includes('down')));
    expect(outbox.stats()).toMatchObject({ lost: 2, sent: 0 });
    await outbox.stop();
    expect(outbox.stats()).toMatchObject({ waiting: 0, lost: 4 });
  });

  it('delivers what is waiting when it is stopped', async () => {
    let down = true;
    const sent: string[] = [];
    const { outbox, clock } = start(async (events) => {
      if (down) throw new Error('down');
      sent.push(...events.map(({ id }) => id));
    });
    void outbox.add([fact('1')]);
    await until(() => clock.pending().length === 1);
    down = false;
    await outbox.stop();
    expect(sent).toEqual(['1']);
  });
});
