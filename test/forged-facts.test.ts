import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readBundle } from '../infra/local/bundle.ts';
import { replay } from '../infra/local/replay.ts';
import { loadRemediations } from '../infra/remediations.ts';
import { DirectoryArtifacts } from '../shared/artifacts/directory.ts';
import { allLive, hint } from '../shared/evidence.ts';
import { mergePatch } from '../shared/plan.ts';
import { type Definition, type Fact, type Remediation, remediation } from '../shared/remediation.ts';
import { clear, fix, wait } from '../shared/verdict.ts';
import { clusterOf, NOW, world as znodeWorld } from './fixtures/strimzi-znode.ts';
import { neutral, type Watched, watched, watchedDefinition } from './forged-facts.ts';
import { playSample } from './sample-world.ts';

const ROOT = join(import.meta.dirname, '..');
const RECORDINGS = join(import.meta.dirname, 'incidents');
const artifacts = new DirectoryArtifacts({ directory: '/nonexistent', shipped: join(ROOT, 'artifacts') });
const object = { group: 'example.com', version: 'v1', resource: 'widgets', namespace: 'shop', name: 'a' };

/** Worlds of remediations that have neither a recording in test/incidents nor a sample.yaml. */
const WORLDS: Record<string, (remediation: Remediation) => Promise<unknown>> = {
  async 'strimzi/delete-stale-migration-znode'(definition) {
    const seen = znodeWorld();
    const kafka = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', namespace: 'n', name: 'c' };
    const fact = neutral({ id: 'fact-0001', cluster: 'test', object: kafka, observedAt: new Date(NOW).toISOString() } as Fact);
    const incident = { object: kafka, detectedAt: seen.detectedAt, memory: undefined };
    const hints = { fact: { claimed: () => fact } } as never;
    const ask = (now: number, memory: unknown) =>
      definition.examine({ hints, cluster: clusterOf(seen), question: 'detect', now, incident: { ...incident, memory: memory as never } });
    const first = await ask(NOW - 11_000, undefined);
    await ask(NOW, first.kind === 'wait' ? first.remember : undefined);
  },
};

const all: Watched[] = [];

beforeAll(async () => {
  all.push(...(await loadRemediations()).map(watched));
  const remediations = all.map(({ definition }) => definition);
  for (const { name } of readdirSync(RECORDINGS, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    await replay({ events: readBundle(join(RECORDINGS, name)), remediations, artifacts, cluster: 'recording', onProblem: () => undefined });
  }
  for (const definition of remediations) {
    const sample = join(ROOT, 'functions', definition.name, 'sample.yaml');
    if (existsSync(sample)) {
      const { default: written } = (await import(`../functions/${definition.name}/index.ts`)) as { default: Definition };
      const { hints, examine } = definition as Required<Remediation>;
      await playSample({ ...written, hints, examine }, pathToFileURL(sample), 'shadow');
    }
    await WORLDS[definition.name]?.(definition);
  }
}, 300_000);

describe('no remediation', () => {
  it('comes to a plan through a forged fact that a neutral fact would not come to, in any recording, sample or world', () => {
    expect(all.flatMap(({ breaches }) => breaches)).toEqual([]);
  });

  it('is left out: each plans its fix with neutral facts somewhere (else give it a recording, a sample.yaml or a world above)', () => {
    expect(all.filter(({ plans }) => plans.size === 0).map(({ definition }) => definition.name)).toEqual([]);
  });
});

describe('the check itself', () => {
  const base = {
    title: 'Paint',
    cause: { issue: 'example/widgets#1', affects: 'all', because: 'red is an error' },
    when: { source: ['kubernetes'] },
    rights: [],
    writes: [],
    hints: (fact: Fact) => ({ fact }),
  };
  const steps = [mergePatch(object, { spec: { color: 'blue' } }, 'red is an error')];
  const paint = fix('it is red', { evidence: allLive({ color: 'red' }), steps });
  const real = {
    ...neutral({ id: 'fact-0001', cluster: 'test', object, observedAt: '2026-11-21T04:00:00.000Z' } as Fact),
    ...{ current: { spec: { size: 1 } }, previous: {} },
  };

  /** The forgeries that lead a definition to a plan of their own, asked twice as an incident is. */
  async function caught(examine: Parameters<typeof remediation<{ fact: Fact }>>[0]['examine']): Promise<string[]> {
    const { definition, breaches } = watchedDefinition('example/paint', remediation<{ fact: Fact }>({ ...base, examine }));
    const hints = { fact: { claimed: () => real } } as never;
    const incident = { object, detectedAt: 0 };
    for (const now of [0, 10_000]) await definition.examine({ hints, cluster: {} as never, question: 'detect', now, incident });
    return [...new Set(breaches.map(({ forgery }) => forgery))];
  }

  it('finds a definition that plans because of a count', async () => {
    const found = await caught(async ({ hints }) => ('writes' in hints.fact.claimed() ? paint : clear('it is calm')));
    expect(found).toEqual(expect.arrayContaining(['a storm by other writers', 'a storm by nobody, an hour ago']));
  });

  it('finds a definition whose evidence says what a fact said', async () => {
    const found = await caught(async ({ hints }) => {
      const fact = hints.fact.claimed();
      const size = JSON.stringify('current' in fact ? (fact.current ?? null) : null);
      return fix('it is red', { evidence: allLive({ size }), steps });
    });
    expect(found).toContain('other states of the object');
  });

  it('finds a definition that remembers what a fact said and believes its memory', async () => {
    const found = await caught(async ({ hints, incident }) => {
      if (incident.memory === 'full') return paint;
      return wait('once more', '10s', hints.fact.claimed().coverage.gap ? 'partial' : 'full');
    });
    expect(found).toContain('complete coverage');
  });

  it('refuses a hint in the evidence of a fix', async () => {
    const evidence = { ...allLive({ color: 'red' }), who: hint('me') } as never;
    await expect(caught(async () => fix('it is red', { evidence, steps }))).rejects.toThrow('cannot rest on a claim');
  });
});
