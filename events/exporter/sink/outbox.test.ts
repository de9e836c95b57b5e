import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import { MemorySpool } from '../spool/memory-spool.ts';
import { ManualClock, until } from '../testdata/manual-clock.ts';
import { folder, idsOf, openSpool, toSend } from '../testdata/spooling.ts';
import { Outbox } from './outbox.ts';
import { type Refuse, UndeliveredError } from './sink.ts';

function start(
  put: (events: Envelope[], refuse?: Refuse) => Promise<void>,
  spool: MemorySpool | Awaited<ReturnType<typeof openSpool>>['spool'] = new MemorySpool(),
) {
  const clock = new ManualClock(0);
  const problems: string[] = [];
  const dead: string[] = [];
  const deadLetters = { add: async ({ id }: Envelope, because: string) => void dead.push(`${id} ${because}`), count: 0 };
  const onProblem = (message: string) => void problems.push(message);
  const outbox = new Outbox({ spool, deadLetters, sink: { put }, wait: clock.wait, random: () => 0.5, onProblem });
  const add = async (...ids: string[]) => {
    await spool.append(toSend(...ids));
    outbox.wake();
  };
  const isEmpty = () => spool.stats().waiting === 0;
  return { outbox, spool, clock, problems, dead, add, isEmpty };
}

describe('Outbox', () => {
  it('sends one batch after the other, in order', async () => {
    const sent: string[] = [];
    let running = 0;
    const { outbox, add, isEmpty } = start(async (events) => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      sent.push(...events.map(({ id }) => id));
      running--;
    });
    await Promise.all([add('1'), add('2', '3'), add()]);
    await until(isEmpty);
    await add('4');
    await until(isEmpty);
    expect(sent).toEqual(['1', '2', '3', '4']);
    expect(outbox.sent).toBe(4);
  });

  it('repeats only what was not delivered, before anything newer', async () => {
    const batches: string[][] = [];
    const { clock, problems, add, isEmpty } = start(async (events) => {
      batches.push(events.map(({ id }) => id));
      if (batches.length === 1) throw new UndeliveredError('throttled', events.slice(1));
    });
    await add('1', '2');
    await until(() => clock.pending().length === 1);
    await add('3');
    clock.advance(375);
    await until(isEmpty);
    expect(batches).toEqual([
      ['1', '2'],
      ['2', '3'],
    ]);
    expect(problems).toEqual([expect.stringContaining('throttled')]);
  });

  it('puts what will never be taken among the dead letters, and goes on', async () => {
    const { outbox, dead, clock, add, isEmpty } = start(async (events, refuse) => {
      for (const event of events.filter(({ id }) => id === '2')) refuse?.(event, 'malformed');
      if (events.length === 3) throw new Error('reset in the middle');
    });
    await add('1', '2', '3');
    await until(() => clock.pending().length === 1);
    expect(dead).toEqual(['2 malformed']);
    clock.advance(375);
    await until(isEmpty);
    expect(dead).toHaveLength(1);
    expect(outbox.sent).toBe(2);
  });

  it('tries what is waiting once more when it is stopped', async () => {
    let down = true;
    const sent: string[] = [];
    const { outbox, clock, add } = start(async (events) => {
      if (down) throw new Error('down');
      sent.push(...events.map(({ id }) => id));
    });
    await add('1');
    await until(() => clock.pending().length === 1);
    down = false;
    await outbox.stop();
    expect(sent).toEqual(['1']);
  });

  it('leaves what it cannot send in the spool, for the next process, which sends only that', async () => {
    const directory = folder();
    const { spool } = await openSpool(directory);
    const { outbox, add } = start(async (events) => {
      throw new UndeliveredError(
        'down',
        events.filter(({ id }) => id > '2'),
      );
    }, spool);
    await add('1', '2', '3', '4');
    await until(() => spool.stats().waiting === 2);
    await outbox.stop();
    await spool.close();
    const { spool: again } = await openSpool(directory);
    expect(await idsOf(again)).toEqual(['3', '4']);
    await again.close();
  });
});
