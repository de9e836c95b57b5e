import { describe, expect, it } from '@jest/globals';
import { allLive, audit, type FixEvidence, hint, live, liveValues } from './evidence.ts';
import { examine, type Recorder } from './examine.ts';
import { asHints, Hint } from './hint.ts';
import { open } from './open.ts';
import { makePlan, mergePatch } from './plan.ts';
import { complete, type Examination, type Fact, remediation } from './remediation.ts';
import { fix, report } from './verdict.ts';

const target = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a' };
const steps = [mergePatch(target, { spec: { color: 'blue' } }, 'red is an error')];
const plan = (evidence: FixEvidence) => makePlan(fix('it is red', { evidence, steps }), 'subject', 0, '15m');

describe('a plan', () => {
  it('is refused when a value of its evidence is a claim, also one that a cast let through', () => {
    const evidence = { color: live('red'), writer: hint('me') } as unknown as FixEvidence;
    expect(() => plan(evidence)).toThrow('A fix cannot rest on a claim: writer');
  });

  it('is refused when no value of its evidence was read from the cluster', () => {
    for (const evidence of [{}, { writer: audit('me') }]) expect(() => plan(evidence)).toThrow(/evidence that was read from the cluster/);
  });

  it('has the same hash whatever a fact reports from the audit log, and another for another live value', () => {
    const { hash } = plan({ color: live('red'), writer: audit('one') });
    expect(plan({ color: live('red'), writer: audit('another') }).hash).toBe(hash);
    expect(plan(allLive({ color: 'red' })).hash).toBe(hash);
    expect(plan({ color: live('dark red'), writer: audit('one') }).hash).not.toBe(hash);
  });

  it('is verified with its live values only', () => {
    expect(liveValues({ color: live('red'), writer: audit('one') })).toEqual({ color: 'red' });
  });
});

describe('a hint', () => {
  it('cannot be stored as if it were a value', () => {
    expect(() => JSON.stringify({ remember: new Hint(5) })).toThrow(/a claim, not a value/);
  });

  it('is shown in a report as what it is', () => {
    const { pod } = asHints({ pod: 'a' });
    expect(report('x', { evidence: { pod: hint(pod), writer: audit(pod) } }).evidence).toEqual({
      pod: { value: 'a', from: 'hint' },
      writer: { value: 'a', from: 'audit' },
    });
  });
});

describe('an examination', () => {
  const object = { ...target, uid: 'u', generation: 7, resourceVersion: '9' };
  const fact = {
    ...{ id: 'fact-0001', cluster: 'test', observedAt: '2026-11-21T04:00:00.000Z', object },
    ...{ coverage: { sources: ['watch'], gap: false, dropped: 0 }, change: 'modified', changed: [], phantom: false },
    current: { spec: { color: 'red' } },
  } as Fact;

  const paint = {
    title: 'x',
    cause: { issue: 'x#1', affects: 'all', because: 'x' },
    when: { source: ['kubernetes'] },
    rights: [],
    writes: [],
  };

  it('gets of the fact only which object it is about and the hints that were picked', async () => {
    let seen: Examination<{ color: unknown }> | undefined;
    const definition = remediation({
      ...paint,
      hints: (one) => ({ color: 'current' in one ? one.current?.spec : undefined }),
      async examine(examination) {
        seen = examination;
        return report('seen');
      },
    });
    await examine(
      complete('x/y', definition),
      open(fact, object, 'x/y', 1, 0),
      'detect',
      { name: 'test', reads: [] } as unknown as Recorder,
      5,
    );
    expect(Object.keys(seen ?? {}).sort()).toEqual(['cluster', 'hints', 'incident', 'now', 'question']);
    expect(seen?.hints.color.claimed()).toEqual({ color: 'red' });
    expect(seen?.incident.object).toEqual({ ...target, uid: 'u' });
  });

  it.each([
    ['is planned for an object whose UID the fact names', 'u', 'fix'],
    ['is not planned when no object has the UID that the fact names: budgets and breakers go by it', 'another', 'clear'],
    ['is not planned when the object is gone', undefined, 'clear'],
  ])('a fix %s', async (_, uid, kind) => {
    const definition = remediation({ ...paint, examine: async () => fix('it is red', { evidence: allLive({ color: 'red' }), steps }) });
    const live = { metadata: { name: 'a', uid }, spec: { color: 'red' } };
    // The target is read without its UID; the object of the incident is the one that the fact names.
    const get = async () => (uid === undefined ? undefined : live);
    const cluster = { name: 'test', reads: [], get } as unknown as Recorder;
    const { verdict } = await examine(complete('x/y', definition), open(fact, object, 'x/y', 1, 0), 'detect', cluster, 5);
    expect(verdict.kind).toBe(kind);
  });
});
