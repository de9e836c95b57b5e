import { describe, expect, it } from '@jest/globals';
import { type Envelope, envelope } from '../fact.ts';
import { objectChanged } from '../object-changed.ts';
import type { Pattern } from '../pattern.ts';
import { writesCounted } from '../writes-counted.ts';
import { Reducer, type ReducerOptions } from './reduce.ts';
import { readRecording } from './testdata/recording.ts';
import { request, seen, T0 } from './testdata/records.ts';

const configmaps = { group: [''], resource: ['configmaps'] };
const counted = (test: Pattern, name = 'counts', object = configmaps): ReducerOptions['rules'][number] => ({
  name,
  pattern: { source: ['kubernetes'], 'detail-type': ['Writes Counted'], detail: { object, ...test } },
});
const changed = (test: Pattern = {}): ReducerOptions['rules'][number] => ({
  name: 'changes',
  pattern: { source: ['kubernetes'], 'detail-type': ['Object Changed'], detail: { object: configmaps, ...test } },
});
const atLeast = (n: number) => [{ numeric: ['>=', n] }];
const reducer = (rules: ReducerOptions['rules'], more: Partial<ReducerOptions> = {}) => new Reducer({ cluster: 'test', rules, ...more });

/** The details, after the contract's own schemas had a look. */
const details = (facts: Envelope[]) =>
  facts.map((fact) => {
    expect(() => envelope.parse(fact)).not.toThrow();
    expect(fact.id).toBe(fact.detail.id);
    return fact['detail-type'] === 'Writes Counted' ? writesCounted.parse(fact.detail) : objectChanged.parse(fact.detail);
  });
const counts = (facts: Envelope[]) => details(facts).map((detail) => writesCounted.parse(detail));

const kafkas = { group: ['kafka.strimzi.io'], resource: ['kafkas'] };
const stormRule = counted({ window: { seconds: [600] }, phantoms: atLeast(3) }, 'storm', kafkas);

/** Plays a recording with a tick each second, as the exporter does. */
function play(name: Parameters<typeof readRecording>[0], subject: Reducer): Envelope[] {
  let clock: number | undefined;
  return readRecording(name).flatMap(({ at, audit, watch }) => {
    const facts: Envelope[] = [];
    for (clock ??= at; clock + 1_000 <= at; clock += 1_000) facts.push(...subject.tick(clock + 1_000));
    return [...facts, ...(audit ? subject.audit(audit) : subject.watch(watch))];
  });
}

describe('the reducer on recordings of real operators', () => {
  it('tells of the write storm with its third phantom, and who writes', () => {
    const facts = counts(play('strimzi-storm-start', reducer([stormRule])));
    expect(facts[0]).toMatchObject({
      observedAt: '2026-11-21T02:02:05.039Z',
      coverage: { sources: ['watch', 'audit'], gap: false, dropped: 0 },
      object: { kind: 'Kafka', version: 'v1beta2', namespace: 'kafka', name: 'my-cluster', generation: 1, resourceVersion: '680' },
      window: { seconds: 600 },
      ...{ writes: 3, changes: 0, noops: 0, phantoms: 3, errors: 0, shape: 'churn', codes: { 200: 3 } },
      actors: [
        {
          user: 'system:serviceaccount:kafka:strimzi-cluster-operator',
          userAgent: 'strimzi-cluster-operator/0.43.0',
          verbs: ['update'],
          writes: 3,
        },
      ],
    });
    const gaps = facts.slice(1).map(({ observedAt }, i) => Date.parse(observedAt) - Date.parse(facts[i]?.observedAt ?? ''));
    expect(gaps.every((gap) => gap >= 30_000)).toBe(true);
    expect(facts).toHaveLength(4);
  });

  it.each(['strimzi-ca-interrupted', 'strimzi-ca-uninterrupted'] as const)('stays silent on %s', (name) => {
    expect(play(name, reducer([stormRule]))).toEqual([]);
  });

  it("finds the operator's no-op writes by comparing audit with watch", () => {
    const podsets = { group: ['core.strimzi.io'], resource: ['strimzipodsets'] };
    const facts = counts(play('strimzi-storm-start', reducer([counted({ noops: atLeast(10) }, 'noops', podsets)])));
    expect(facts[0]).toMatchObject({ writes: 13, changes: 3, noops: 10, shape: 'noop', object: { name: 'my-cluster-dual' } });
  });

  it('gives the same facts when everything is delivered twice', () => {
    const once = play('strimzi-storm-start', reducer([stormRule]));
    const subject = reducer([stormRule]);
    let clock: number | undefined;
    const twice = readRecording('strimzi-storm-start').flatMap(({ at, audit, watch }) => {
      const facts: Envelope[] = [];
      for (clock ??= at; clock + 1_000 <= at; clock += 1_000) facts.push(...subject.tick(clock + 1_000));
      for (const _ of [1, 2]) facts.push(...(audit ? subject.audit(audit) : subject.watch(watch)));
      return facts;
    });
    expect(twice).toEqual(once);
  });
});

describe('counting writes', () => {
  const any = [counted({ writes: atLeast(1) })];

  it.each([
    ['a dry run', request(3, { dryRun: true })],
    ['a request by our field manager', request(3, { fieldManager: 'kubemend' })],
    ['a request by one of our users', request(3, { user: 'system:serviceaccount:kubemend:fix' })],
    ['a request we made as somebody else', request(3, { user: 'x', impersonator: 'system:serviceaccount:kubemend:gate' })],
    ['an exec', request(3, { verb: 'create', subresource: 'exec' })],
    ['a deletecollection, which names nothing', request(3, { verb: 'deletecollection', name: undefined as never })],
    ['another resource', request(3, { resource: 'pods' })],
  ])('leaves out %s', (_, record) => {
    const subject = reducer(any, { ownUsers: ['system:serviceaccount:kubemend:'] });
    expect(subject.audit(record)).toEqual([]);
    expect(subject.tick(T0 + 10_000)).toEqual([]);
    expect(counts(subject.audit(request(11)))).toMatchObject([{ writes: 1 }]);
  });

  it('adds up all subresources, successes and errors', () => {
    const subject = reducer([counted({ writes: atLeast(3) })]);
    subject.audit(request(1, { subresource: 'status' }));
    subject.audit(request(2, { code: 409, verb: 'patch' }));
    expect(counts(subject.audit(request(3)))).toMatchObject([
      {
        writes: 3,
        errors: 1,
        codes: { 200: 2, 409: 1 },
        actors: [{ verbs: ['patch', 'update'], writes: 3 }],
        coverage: { sources: ['audit'] },
      },
    ]);
  });

  it('drops the repeated request and the repeated watch event', () => {
    const subject = reducer([counted({ writes: atLeast(2) })]);
    const record = request(1);
    const event = seen(1.1);
    expect([record, record].flatMap((one) => subject.audit(one))).toEqual([]);
    subject.watch(event);
    subject.watch(event);
    expect(counts(subject.audit(request(2)))).toMatchObject([{ writes: 2, changes: 1 }]);
    expect(subject.stats().duplicates).toBe(1);
  });

  it('takes watch events for writes while there is no audit', () => {
    const subject = reducer([counted({ writes: atLeast(2) })]);
    subject.watch(seen(0, {}, { type: 'ADDED', fromList: true }));
    subject.watch(seen(1));
    expect(counts(subject.watch(seen(2)))).toMatchObject([
      { writes: 2, changes: 2, noops: 0, actors: [], coverage: { sources: ['watch'] } },
    ]);
  });

  it('counts the same when audit and watch come up to 2 s late', () => {
    const lines = Array.from({ length: 40 }, (_, i) => [
      { at: i * 1_500, record: request(i * 1.5) },
      ...(i % 3 ? [{ at: i * 1_500 + 200, event: seen(i * 1.5 + 0.2) }] : []),
    ]).flat();
    const total = (delay: (i: number) => number) => {
      const subject = reducer([counted({ window: { seconds: [300] }, writes: atLeast(41) })]);
      subject.watch(seen(-1, {}, { type: 'ADDED', fromList: true }));
      for (const { line } of lines.map((line, i) => ({ line, at: line.at + delay(i) })).sort((a, b) => a.at - b.at)) {
        if ('record' in line && line.record) subject.audit({ ...line.record });
        else if (line.event) subject.watch(line.event);
      }
      return counts(subject.audit(request(100))).map(({ writes, changes, noops, errors }) => ({ writes, changes, noops, errors }));
    };
    expect(total(() => 0)).toEqual([{ writes: 41, changes: 26, noops: 14, errors: 0 }]);
    for (const seed of [7, 11, 13, 17]) expect(total((i) => (i * seed * 389) % 2_000)).toEqual(total(() => 0));
  });

  it('does not count what the watch shows of our own writes', () => {
    const subject = reducer([counted({ writes: atLeast(1) }), counted({ changes: atLeast(1) }, 'changes')]);
    const entry = (manager: string, second: number) => ({ manager, operation: 'Update', time: `2026-11-21T10:00:0${second}Z` });
    subject.watch(seen(0, { managedFields: [entry('robot', 0)] }, { type: 'ADDED', fromList: true }));
    expect(subject.watch(seen(1, { managedFields: [entry('robot', 0), entry('kubemend', 1)] }))).toEqual([]);
    expect(subject.audit(request(1, { fieldManager: 'kubemend' }))).toEqual([]);
    subject.audit(request(2, { code: 409 }));
    expect(subject.watch(seen(2, { managedFields: [entry('robot', 2), entry('kubemend', 1)] })).length).toBe(1);
    expect(subject.stats().own).toBe(2);
  });

  it.each([
    ['first', true],
    ['last', false],
  ])('does not count our own delete when the watch shows it %s', (_, watchFirst) => {
    const subject = reducer([counted({ writes: atLeast(1), changes: [0] })]);
    subject.watch(seen(0, { rv: 5 }, { type: 'ADDED', fromList: true }));
    const ours = () => subject.audit(request(1, { verb: 'delete', fieldManager: 'kubemend' }));
    const gone = () => subject.watch(seen(1.5, { rv: 6 }, { type: 'DELETED' }));
    for (const step of watchFirst ? [gone, ours] : [ours, gone]) step();
    expect(counts(subject.audit(request(4)))).toMatchObject([{ changes: 0, writes: 1 }]);
  });

  it('forgets what is older than the window, to the millisecond', () => {
    const at = (seconds: number) => {
      const subject = reducer([counted({ writes: atLeast(2) })]);
      subject.audit(request(0));
      return subject.audit(request(seconds)).length;
    };
    expect(at(59.999)).toBe(1);
    expect(at(60)).toBe(0);
  });

  it('serves each rule with the window it names, 60 s by default', () => {
    const subject = reducer([
      counted({ writes: atLeast(2) }, 'short'),
      counted({ writes: atLeast(2), window: { seconds: [300] } }, 'long'),
    ]);
    subject.audit(request(0));
    expect(counts(subject.audit(request(100))).map(({ window }) => window.seconds)).toEqual([300]);
    expect(counts(subject.audit(request(110))).map(({ window }) => window.seconds)).toEqual([60]);
  });

  it('tells at once when a rule begins to match, then every 30 s while it does', () => {
    const subject = reducer([counted({ writes: atLeast(2) })]);
    const heard = [0, 1, 2, 15, 30.9, 31, 45, 61, 130, 131].filter((second) => subject.audit(request(second)).length > 0);
    expect(heard).toEqual([1, 31, 61, 131]);
  });

  it('keeps objects apart', () => {
    const subject = reducer([counted({ writes: atLeast(2) })]);
    const others = [{ name: 'other' }, { namespace: 'elsewhere' }, { namespace: undefined as never }];
    expect([request(0), ...others.map((other) => request(1, other))].flatMap((one) => subject.audit(one))).toEqual([]);
  });

  it('gives the fact the same id in every exporter that saw the same', () => {
    const once = () => reducer(any).audit(request(5));
    expect(once()[0]?.id).toBe(once()[0]?.id);
    expect(once()[0]?.id).not.toBe(reducer([counted({ writes: atLeast(1) }, 'another')]).audit(request(5))[0]?.id);
  });
});

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
