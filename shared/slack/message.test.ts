import { describe, expect, it } from '@jest/globals';
import { type IncidentChanged, incidentState } from '../../events/incident-changed.ts';
import { change } from '../../test/slack/changes.ts';
import { wrongBlocks, wrongMarkup } from '../../test/slack/check-blocks.ts';
import { live } from '../evidence.ts';
import { fitMessage, section } from './blocks.ts';
import { buttonsOf, readButton } from './buttons.ts';
import { details } from './details.ts';
import { issueLink, livingMessage } from './message.ts';
import { storyOf } from './story.ts';
import { stormMessage } from './summary.ts';

const messageOf = (one: IncidentChanged) => livingMessage(storyOf(one));
const textOf = (value: unknown): string => JSON.stringify(value);
const planOf = (one: IncidentChanged) => one.record.plan as Record<string, unknown>;
const seen = {
  ...{ writes: 41, changes: 0, noops: 0, phantoms: 41, errors: 0, shape: 'churn', seconds: 60 },
  actors: [
    {
      user: 'system:serviceaccount:kafka:strimzi',
      userAgent: 'fabric8/6',
      pod: 'strimzi-0',
      verbs: ['patch'],
      writes: 41,
      fieldManager: 'strimzi',
    },
  ],
};

describe('the message of an incident', () => {
  it('says what it is, what was found, who writes, what is written before and after, and where it is known', () => {
    const text = textOf(messageOf(change(1, 3, { record: { seen } })));
    for (const part of [
      ':large_orange_circle: Paint red widgets blue',
      '*awaiting-approval* since <!date^',
      'widgets shop/w-1',
      '*Found*\\nthe widget is red\\n• color = `red`',
      '• `system:serviceaccount:kafka:strimzi` in `strimzi-0` as `fabric8/6` (field manager `strimzi`): 41 × patch',
      '`spec.color`: `\\"red\\"` → `\\"blue\\"`',
      '<https://github.com/example/widgets/issues/1|example/widgets#1>',
      'valid until <!date^',
    ])
      expect(text).toContain(part);
  });

  it.each(incidentState.options)('is one that Slack takes in state %s, with buttons that are read as they were made', (state) => {
    const one = { ...change(1, 3, { record: { seen } }), state };
    const message = messageOf(one);
    expect([wrongBlocks(message.blocks), wrongMarkup(message.text)]).toEqual([[], []]);
    for (const { action_id: id = '', value = '' } of buttonsOf(storyOf(one))) {
      expect(readButton(id, value)?.bound).toEqual({ incident: one.incident, hash: planOf(one).hash, state });
    }
  });

  it('is one that Slack takes, and keeps its buttons, whatever is in the record', () => {
    const long = '<!channel> & `x` "quoted" \n😀'.repeat(400);
    const step = (n: number) => ({
      kind: 'merge-patch',
      target: { resource: long, name: `${n}`, group: '', version: 'v1' },
      patch: { [long]: long, spec: { [`f${n}`]: long } },
      reason: long,
    });
    const plan = {
      hash: 'a'.repeat(64),
      because: long,
      evidence: Object.fromEntries([...Array(100)].map((_, n) => [`${n}${long}`, live(long)])),
      steps: [...Array(40)].map((_, n) => step(n)),
      expiresAt: 0,
    };
    const history = [...Array(200)].map((_, n) => ({
      at: 'no time',
      state: n % 2 ? 'planned' : 'detected',
      because: long,
      verdict: { kind: 'report', evidence: {}, advice: Array(50).fill(long) },
    }));
    const cause = { issue: long, affects: long, because: long };
    const actors = Array(10).fill({ user: long, userAgent: long, pod: long, verbs: [long], writes: 1 });
    const one = {
      ...change(1, 3, { because: long, record: { plan, history, cause, seen: { ...seen, actors } } }),
      title: long,
      cluster: long,
    };
    const message = messageOf(one);
    expect([wrongBlocks(message.blocks), wrongMarkup(message.text), message.text.length <= 4_000]).toEqual([[], [], true]);
    expect(message.blocks.at(-1)?.type).toBe('actions');
    const thread = details(storyOf(one));
    expect(wrongBlocks(thread?.message.blocks)).toEqual([]);
    // What is decided about is not among what is left out.
    expect(textOf(message)).toContain('*Plan* `aaaaaaaa`');
  });

  it('leaves out what it does not understand, and still says what it is about', () => {
    const record = { plan: 'soon', history: [{ at: 5 }], cause: null, seen: { writes: 'many' } };
    const message = messageOf(change(1, 3, { record }));
    expect([wrongBlocks(message.blocks), textOf(message)]).toEqual([[], expect.stringContaining('widgets shop/w-1')]);
  });

  it('shows no value of a Secret, only which field is written', () => {
    const target = { group: '', version: 'v1', resource: 'secrets', namespace: 'kafka', name: 'ca' };
    const step = { kind: 'merge-patch', target, patch: { data: { 'ca.key': 'c2VjcmV0' } }, reason: 'renew' };
    const one = change(1, 3);
    const record = { plan: { ...planOf(one), steps: [step], before: [{ '/data/ca.key': 'b2xk' }] } };
    const text = textOf([messageOf(change(1, 3, { record })), details(storyOf(change(1, 3, { record })))]);
    expect(text).toContain('data[\\"ca.key\\"]`: changed (values of Secrets are not shown)');
    expect(text).not.toMatch(/c2VjcmV0|b2xk/);
  });

  it('shows what an applied document changes, by path: the first few in the message, all that are recorded in the thread', () => {
    const target = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions', name: 'kafkas.kafka.strimzi.io' };
    const step = { kind: 'apply', target, document: { artifact: 'strimzi/0.43.0', sha256: 'a'.repeat(64) }, reason: 'replace' };
    const changes = [[...Array.from({ length: 20 }, (_, n) => `+ spec.versions[v1].f${n}`), 'and 3 more <fields>']];
    const one = change(1, 3, { record: { plan: { ...planOf(change(1, 3)), steps: [step], before: [{}], changes } } });
    const [message, thread] = [textOf(messageOf(one)), textOf(details(storyOf(one)))];
    expect([message.includes('`+ spec.versions[v1].f4`'), message.includes('.f5`'), message.includes('see the thread')]).toEqual([
      true,
      false,
      true,
    ]);
    expect([thread.includes('`+ spec.versions[v1].f19`'), thread.includes('and 3 more &lt;fields&gt;')]).toEqual([true, true]);
    expect([wrongBlocks(messageOf(one).blocks), wrongBlocks(details(storyOf(one))?.message.blocks)]).toEqual([[], []]);
  });

  it.each([
    ['kubero-dev/kubero#420', '<https://github.com/kubero-dev/kubero/issues/420|kubero-dev/kubero#420>'],
    ['a/b#1 (also c/d.e#22)', '<https://github.com/a/b/issues/1|a/b#1> (also <https://github.com/c/d.e/issues/22|c/d.e#22>)'],
    ['none <yet>', 'none &lt;yet&gt;'],
  ])('links %s', (issue, expected) => expect(issueLink(issue)).toBe(expected));
});

describe('a message that is too large', () => {
  it.each([
    ['in blocks', 60, 10],
    ['in characters', 20, 2_900],
  ])('%s loses its middle, says so, and keeps its end', (_, count, length) => {
    const blocks = Array.from({ length: count }, (_each, n) => section([`${n} `.padEnd(length, 'x')]));
    const fitted = fitMessage({ text: 'x'.repeat(9_000), blocks }, 2);
    expect([wrongBlocks(fitted.blocks), fitted.text.length]).toEqual([[], 3_999]);
    expect([fitted.blocks[0], fitted.blocks.slice(-2)]).toEqual([blocks[0], blocks.slice(-2)]);
    expect(textOf(fitted.blocks.at(-3))).toContain('Shortened');
  });
});

it('the summary of a storm is one that Slack takes, however many there are', () => {
  for (const count of [1, 10, 41, 500]) {
    const members = Array.from({ length: count }, (_, n) => ({
      incident: `abc${n}`,
      object: `pods ${'<n>'.repeat(60)}`,
      state: 'planned' as const,
      detectedAt: '2026-11-21T04:00:00Z',
    }));
    const { blocks, text } = stormMessage({
      title: 'x'.repeat(500),
      remediation: 'a/b',
      cluster: 'prod',
      since: '2026-11-21T04:00:00Z',
      members,
    });
    expect([wrongBlocks(blocks), wrongMarkup(text)]).toEqual([[], []]);
    if (count === 500) expect(textOf(blocks)).toContain('and 460 more');
  }
});
