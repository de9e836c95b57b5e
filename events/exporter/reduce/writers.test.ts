import { expect, it } from '@jest/globals';
import { request, T0 } from '../testdata/records.ts';
import { atLeast, counted, counts, reducer } from './testdata/reducing.ts';

const rule = counted({ writes: atLeast(3), window: { seconds: [60] } });

it('A fact tells writers apart by the pod UID and by who impersonated them, and says both', () => {
  const subject = reducer([rule]);
  const pods = [
    { pod: 'op-1', podUid: 'u-1' },
    { pod: 'op-1', podUid: 'u-2' },
    { pod: 'op-1', podUid: 'u-2', impersonator: 'admin' },
  ];
  const facts = [...pods.flatMap((pod, n) => subject.audit(request(n, pod))), ...subject.tick(T0 + 10_000)];
  const [fact] = counts(facts);
  expect(fact?.actors).toHaveLength(3);
  expect(fact?.actors).toEqual(expect.arrayContaining(pods.map((pod) => expect.objectContaining({ ...pod, user: 'robot', writes: 1 }))));
});
