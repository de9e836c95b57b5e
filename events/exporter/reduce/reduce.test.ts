import { describe, expect, it } from '@jest/globals';
import type { Envelope } from '../../fact.ts';
import { readRecording } from '../testdata/recording.ts';
import { request, seen, T0 } from '../testdata/records.ts';
import type { Reducer } from './reduce.ts';
import { atLeast, counted, counts, reducer } from './testdata/reducing.ts';

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

  it('adds up all subresources, and counts the errors beside the writes', () => {
    const subject = reducer([counted({ writes: atLeast(3) })]);
    subject.audit(request(1, { subresource: 'status' }));
    subject.audit(request(1.5, { verb: 'patch' }));
    subject.audit(request(2, { code: 409, verb: 'delete' }));
    expect(counts(subject.audit(request(3)))).toMatchObject([
      {
        writes: 3,
        errors: 1,
        codes: { 200: 3, 409: 1 },
        actors: [{ verbs: ['patch', 'update'], writes: 3 }],
        rejected: [{ user: 'robot', verbs: ['delete'], requests: 1, codes: { 409: 1 } }],
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
    subject.audit(request(2));
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
