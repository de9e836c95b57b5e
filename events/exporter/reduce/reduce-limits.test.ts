import { describe, expect, it } from '@jest/globals';
import { request, seen, T0 } from '../testdata/records.ts';
import { atLeast, changed, counted, counts, details, reducer } from './testdata/reducing.ts';

describe('waiting for audit to name the writer', () => {
  const subjectWithAudit = () => {
    const subject = reducer([counted({ changes: atLeast(1) })]);
    subject.audit(request(-100, { name: 'unrelated' }));
    subject.watch(seen(-90, {}, { type: 'ADDED', fromList: true }));
    return subject;
  };

  it('holds the fact until the request arrives', () => {
    const subject = subjectWithAudit();
    expect(subject.watch(seen(1))).toEqual([]);
    expect(subject.tick(T0 + 2_000)).toEqual([]);
    expect(counts(subject.audit(request(0.9)))).toMatchObject([{ changes: 1, writes: 1, actors: [{ user: 'robot' }] }]);
  });

  it('holds it, too, while audit knows only of an older write by somebody else', () => {
    const subject = reducer([counted({ changes: atLeast(3) })]);
    subject.audit(request(0, { user: 'creator', verb: 'create' }));
    subject.watch(seen(0, {}, { type: 'ADDED' }));
    for (const second of [1, 1.2, 1.4]) expect(subject.watch(seen(second))).toEqual([]);
    const facts = [1, 1.2, 1.4].flatMap((second) => subject.audit(request(second)));
    expect(
      counts(facts)[0]
        ?.actors.map(({ user }) => user)
        .sort(),
    ).toEqual(['creator', 'robot']);
  });

  it('sends it without a writer after 3 s', () => {
    const subject = subjectWithAudit();
    expect(subject.watch(seen(1))).toEqual([]);
    expect(subject.tick(T0 + 3_999)).toEqual([]);
    expect(counts(subject.tick(T0 + 4_000))).toMatchObject([{ changes: 1, actors: [] }]);
    expect(subject.tick(T0 + 5_000)).toEqual([]);
  });

  it('sends at once in a cluster without audit', () => {
    expect(reducer([counted({ changes: atLeast(1) })]).watch(seen(1))).toHaveLength(1);
  });
});

describe('what may have been missed', () => {
  it('is said of every window that overlaps a gap', () => {
    const subject = reducer([counted({ writes: atLeast(1) })]);
    subject.gap('', 'configmaps', T0 + 10_000, T0 + 20_000);
    expect(counts(subject.audit(request(21)))[0]?.coverage.gap).toBe(true);
    expect(counts(subject.audit(request(79)))[0]?.coverage.gap).toBe(true);
    expect(counts(subject.audit(request(121)))[0]?.coverage.gap).toBe(false);
  });

  it('makes no no-ops of requests inside a gap', () => {
    const subject = reducer([counted({ writes: atLeast(3) })]);
    subject.watch(seen(0, {}, { type: 'ADDED', fromList: true }));
    subject.gap('', 'configmaps', T0 + 5_000, T0 + 15_000);
    for (const second of [10, 12]) subject.audit(request(second));
    expect(counts(subject.audit(request(20)))).toMatchObject([{ writes: 3, noops: 0 }]);
  });

  it('counts objects beyond the cap as dropped, and serves them again when others went quiet', () => {
    const subject = reducer([counted({ writes: atLeast(1) })], { keyCap: 2 });
    for (const name of ['a', 'b', 'c']) subject.audit(request(1, { name }));
    expect(subject.stats()).toMatchObject({ counted: 2, dropped: 1 });
    expect(counts(subject.audit(request(32, { name: 'a' })))[0]?.coverage.dropped).toBe(1);
    subject.tick(T0 + 90_000);
    expect(subject.audit(request(91, { name: 'c' }))).toHaveLength(1);
  });
});

describe('object changes', () => {
  const list = { type: 'ADDED', fromList: true } as const;

  it('are told with pointers and the fields that a rule names, and no other field', () => {
    const subject = reducer([changed({ current: { data: { mode: ['x'] } } })]);
    expect(subject.watch(seen(0, { data: { mode: 'x', password: 'hunter2' } }, list))).toEqual([]);
    const facts = subject.watch(seen(1, { rv: 1_001, generation: 2, data: { mode: 'x', password: 'hunter3' } }));
    expect(details(facts)).toMatchObject([
      {
        change: 'modified',
        phantom: false,
        changed: ['/metadata/resourceVersion', '/metadata/generation', '/data/password'],
        current: { data: { mode: 'x' } },
        previous: { data: { mode: 'x' } },
        object: { kind: 'ConfigMap', uid: 'uid-1', resourceVersion: '1001', generation: 2 },
      },
    ]);
    expect(JSON.stringify(facts)).not.toContain('hunter');
  });

  it('are not told when no rule matches', () => {
    const subject = reducer([changed({ change: ['deleted'] })]);
    subject.watch(seen(0, {}, list));
    expect(subject.watch(seen(1))).toEqual([]);
    expect(details(subject.watch(seen(2, {}, { type: 'DELETED' })))).toMatchObject([{ change: 'deleted' }]);
    expect(details(subject.watch(seen(3, { uid: 'uid-2' }, { type: 'ADDED' })))).toEqual([]);
  });

  it('are not what a list shows: the first is state, a second that shows the same is nothing', () => {
    const subject = reducer([changed(), counted({ changes: atLeast(1) })]);
    expect(subject.watch(seen(0, { rv: 7 }, list))).toEqual([]);
    expect(subject.watch(seen(1, { rv: 7 }, { ...list, gap: true }))).toEqual([]);
    expect(subject.watch(seen(2, { rv: 7 }, { type: 'ADDED' }))).toEqual([]);
  });

  it.each([
    ['a new version', { rv: 9_001 }, list, [{ change: 'modified', phantom: false }]],
    [
      'another object of that name',
      { uid: 'uid-2', rv: 9_002 },
      list,
      [{ change: 'deleted' }, { change: 'added', object: { uid: 'uid-2' } }],
    ],
    ['that it vanished', { rv: 7 }, { type: 'DELETED', fromList: true } as const, [{ change: 'deleted' }]],
    ['one nobody knew', { name: 'new', rv: 9_003 }, list, [{ change: 'added', object: { name: 'new' } }]],
  ])('are told with a gap, and not counted, when a relist shows %s', (_, version, more, expected) => {
    const subject = reducer([changed(), counted({ changes: atLeast(1) })]);
    subject.watch(seen(0, { rv: 7 }, list));
    const facts = details(subject.watch(seen(60, version, { ...more, gap: true })));
    expect(facts).toMatchObject(expected.map((one) => ({ ...one, coverage: { gap: true } })));
    expect(facts).toHaveLength(expected.length);
  });
});
