import { describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../audit/audit-record.ts';
import { request, seen, T0 } from '../testdata/records.ts';
import { outcomeOf } from './outcome.ts';
import { atLeast, counted, counts, reducer } from './testdata/reducing.ts';

const REJECTED = [301, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429];
const storm = [counted({ phantoms: atLeast(3), window: { seconds: [600] } }, 'storm')];
const errors = [counted({ errors: atLeast(3) }, 'errors')];
const operator = { user: 'system:serviceaccount:demo:operator', userAgent: 'operator/1.0' };

/** A ConfigMap whose status is written in vain every second, seen by audit and watch, from `from` seconds on. */
function phantomStorm(subject: ReturnType<typeof reducer>, from: number, writes = 5) {
  const version = (i: number) => {
    const event = seen(from + i, { name: 'real', generation: 1 });
    const status = { observedGeneration: 1, conditions: [{ type: 'Ready', lastTransitionTime: String(i) }] };
    return { ...event, object: { ...(event.object as object), data: {}, status } };
  };
  subject.watch({ ...version(0), type: 'ADDED', fromList: true });
  const facts = Array.from({ length: writes }, (_, i) => i + 1).flatMap((i) => [
    ...subject.audit(request(from + i, { name: 'real', ...operator })),
    ...subject.watch(version(i)),
    ...subject.tick(T0 + 1_000 * (from + i) + 500),
  ]);
  return counts(facts);
}

describe('what an answer says about storage', () => {
  it.each([
    ...[200, 201, 202].map((code) => [code, false, 'stored'] as const),
    ...REJECTED.map((code) => [code, true, 'rejected'] as const),
    ...[500, 503, 504].map((code) => [code, true, 'unknown'] as const),
    ...[500, 503, 504].map((code) => [code, false, 'rejected'] as const),
  ])('%i, authorized: %s, is %s', (code, allowed, outcome) => {
    expect(outcomeOf({ code, ...(allowed && { allowed }) })).toBe(outcome);
  });
});

describe('a rejected request', () => {
  it.each(REJECTED)('answered %i creates no counted object and no actor, and no write', (code) => {
    const subject = reducer([...storm, ...errors]);
    for (let i = 0; i < 10; i++) subject.audit(request(-5 + i / 10, { name: `invented-${i}`, code }));
    expect(subject.stats()).toMatchObject({ counted: 0, entries: 0, dropped: 0 });
    subject.audit(request(0, { name: 'real', code, user: 'intruder', userAgent: operator.userAgent }));
    const [fact] = phantomStorm(subject, 0);
    expect(fact).toMatchObject({ phantoms: 3, writes: 3, errors: 1, shape: 'churn', codes: { 200: 3, [code]: 1 } });
    expect(fact?.actors.map(({ user }) => user)).toEqual([operator.user]);
    expect(fact?.rejected).toMatchObject([{ user: 'intruder', requests: 1, codes: { [code]: 1 } }]);
  });

  it('of an unauthenticated user counts nowhere, whatever the answer', () => {
    const subject = reducer([...storm, ...errors]);
    const anonymous = { user: 'system:anonymous', unauthenticated: true, userAgent: operator.userAgent };
    for (const code of [200, 401, 403, 500]) {
      for (let i = 0; i < 10; i++) subject.audit(request(0, { name: 'real', code, allowed: true, ...anonymous }));
    }
    const facts = phantomStorm(subject, 0);
    expect(facts[0]).toMatchObject({ writes: 3, errors: 0, codes: { 200: 3 }, actors: [{ user: operator.user, writes: 3 }] });
    expect(facts[0]).not.toHaveProperty('rejected');
    expect(subject.stats()).toMatchObject({ unauthenticated: 40, rejectedDropped: 0 });
  });

  it.each<[string, (i: number) => Partial<AuditRecord>]>([
    ['an unauthenticated user', () => ({ user: 'system:anonymous', unauthenticated: true })],
    ['one authenticated user', () => ({ user: 'intruder' })],
    ['many authenticated users', (i) => ({ user: `intruder-${i % 5_000}`, userAgent: `agent-${i}` })],
    ['one user who gets 504 for any request', () => ({ user: 'intruder', code: 504, allowed: true })],
  ])('with one of 100,000 invented names, sent by %s, does not hide a real storm', (_, who) => {
    const subject = reducer(storm);
    for (let i = 0; i < 100_000; i++) subject.audit(request(i * 0.003, { name: `invented-${i}`, code: 403, ...who(i) }));
    expect(subject.stats()).toMatchObject({ counted: 0, entries: 0, overflow: 0 });
    const [fact] = phantomStorm(subject, 300);
    expect(fact).toMatchObject({ phantoms: 3, shape: 'churn', coverage: { dropped: 0 }, actors: [{ user: operator.user }] });
  });

  it('shows the error loop of an authenticated writer: 40 × 422 on one object', () => {
    const subject = reducer(errors);
    for (let i = 0; i < 40; i++) subject.audit(request(i, { code: 422, verb: 'patch', ...operator }));
    const [fact] = counts(subject.tick(T0 + 40_000));
    expect(fact).toMatchObject({ writes: 0, errors: 40, shape: 'error-loop', codes: { 422: 40 }, actors: [] });
    expect(fact?.rejected).toEqual([{ ...operator, verbs: ['patch'], requests: 40, codes: { 422: 40 } }]);
    expect(fact?.recent).toHaveLength(32);
    expect(fact?.recent.every(({ effect }) => effect === 'error')).toBe(true);
  });

  it('repeats the fact of an error loop every 30 s, and ends it 60 s after the last request', () => {
    const subject = reducer(errors);
    for (let i = 0; i < 3; i++) subject.audit(request(i, { code: 422 }));
    expect(subject.tick(T0 + 3_000)).toHaveLength(1);
    expect(subject.tick(T0 + 4_000)).toHaveLength(0);
    subject.audit(request(40, { code: 422 }));
    expect(subject.tick(T0 + 41_000)).toHaveLength(1);
    subject.tick(T0 + 200_000);
    subject.audit(request(200, { code: 422 }));
    expect(subject.tick(T0 + 201_000)).toEqual([]);
  });

  it('takes no room from another writer, and the fact of a writer above its share says how many were not counted', () => {
    const subject = reducer(errors);
    for (let i = 0; i < 50_000; i++) subject.audit(request(i / 10_000, { name: `invented-${i}`, code: 403, user: 'intruder' }));
    for (let i = 0; i < 3; i++) subject.audit(request(5 + i, { name: 'mine', code: 422, ...operator }));
    const facts = counts(subject.tick(T0 + 9_000));
    expect(facts).toMatchObject([{ object: { name: 'mine' }, errors: 3, coverage: { dropped: 0 }, rejected: [operator] }]);
    expect(subject.stats().rejectedDropped).toBe(50_000 - 32);
    for (let i = 0; i < 3; i++) subject.audit(request(10 + i, { name: 'invented-0', code: 403, user: 'intruder' }));
    expect(counts(subject.tick(T0 + 13_000))).toMatchObject([{ object: { name: 'invented-0' }, coverage: { dropped: 50_000 - 32 } }]);
  });

  it('never pushes a stored write out of the newest writes', () => {
    const subject = reducer([...storm, ...errors]);
    for (let i = 0; i < 1_000; i++) subject.audit(request(5.5, { name: 'real', code: 409, user: 'intruder' }));
    const facts = phantomStorm(subject, 0);
    expect(facts.at(-1)?.recent.filter(({ effect }) => effect === 'phantom').length).toBeGreaterThanOrEqual(3);
  });

  it('delivered twice counts once', () => {
    const subject = reducer(errors);
    const two = [request(1, { code: 409 }), request(2, { code: 409 })];
    for (const record of [...two, ...two]) subject.audit(record);
    expect(subject.tick(T0 + 3_000)).toEqual([]);
    expect(subject.stats().duplicates).toBe(2);
  });
});

describe('a request that may have been stored', () => {
  it('counts on an object that exists, as a write and an error', () => {
    const subject = reducer([counted({ errors: atLeast(1) })]);
    subject.watch(seen(0, {}, { type: 'ADDED', fromList: true }));
    expect(counts(subject.audit(request(1, { code: 504, allowed: true })))).toMatchObject([
      { writes: 1, errors: 1, codes: { 504: 1 }, actors: [{ user: 'robot', writes: 1 }] },
    ]);
  });
});

describe('the bounds of what is counted', () => {
  it('hold for entries of all objects together; the storm stays, and what was forgotten is reported', () => {
    const subject = reducer([counted({ writes: atLeast(300), window: { seconds: [600] } })], { entryCap: 2_000 });
    const facts = Array.from({ length: 6_000 }, (_, i) => [
      ...subject.audit(request(i / 20, { name: `quiet-${i}` })),
      ...(i % 20 === 0 ? subject.audit(request(i / 20, { name: 'real' })) : []),
    ]).flat();
    expect(subject.stats().entries).toBeLessThanOrEqual(2_000);
    expect(counts(facts)).toMatchObject([{ object: { name: 'real' }, writes: 300 }]);
    expect(subject.stats()).toMatchObject({ counted: expect.any(Number), forgotten: 6_000 + 300 - countOf(subject) });
  });
});

/** Writes that are still counted: each quiet object has one, the storm the rest. */
const countOf = (subject: ReturnType<typeof reducer>): number => {
  const { counted: objects } = subject.stats();
  return objects - 1 + 300;
};
