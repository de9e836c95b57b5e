import { expect, it } from '@jest/globals';
import { openDatabase, SqliteState } from '../../shared/state/sqlite.ts';
import { tellingBreakers } from './breaker-count.ts';

it('a breaker is told once: when the count of its own scope reaches its own limit', async () => {
  const kept = new SqliteState(openDatabase(':memory:'));
  const opened: string[] = [];
  const limits = { breakers: { object: 1, remediation: 2, overall: 3 } } as Parameters<typeof tellingBreakers>[1];
  const state = tellingBreakers(kept, limits, (scope) => opened.push(scope));
  for (const incident of ['a', 'a', 'b', 'c', 'd'])
    for (const scope of [`object/${incident}`, 'remediation/example/mend/prod', 'overall']) await state.tally(scope, incident);
  expect(opened).toEqual(['object/a', 'object/b', 'remediation/example/mend/prod', 'object/c', 'overall', 'object/d']);
  expect(await state.tallied('overall')).toBe(4);
  await state.set('paused', 'ada');
  expect(await kept.setting('paused')).toBe('ada');
});
