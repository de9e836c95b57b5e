import { describe, expect, it } from '@jest/globals';
import { Reducer } from '../../../events/exporter/reduce/reduce.ts';
import type { Envelope } from '../../../events/fact.ts';
import { Engine } from '../../../shared/engine.ts';
import type { Incident } from '../../../shared/incident.ts';
import { LiveCluster } from '../../../shared/kubernetes/live-cluster.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { complete, type Fact } from '../../../shared/remediation.ts';
import { SqliteSchedule } from '../../../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../../../shared/state/sqlite.ts';
import { deployment } from '../../../test/fixtures/kubero-pipelines.ts';
import { MemoryCluster } from '../../../test/memory-cluster.ts';
import { memoryArtifacts, START } from '../../../test/toy-world.ts';
import { runUntil, VirtualClock } from '../../../test/virtual-clock.ts';
import definition from './index.ts';

const SERVED = ['/apis/application.kubero.dev/v1alpha1/kuberopipelines', '/apis/apps/v1/deployments', '/api/v1/secrets'];
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const PIPELINE = '/apis/application.kubero.dev/v1alpha1/namespaces/kubero/kuberopipelines/checkout';
const OPERATOR = '/apis/apps/v1/namespaces/kubero-operator-system/deployments/kubero-operator-controller-manager';
const IMAGE = 'ghcr.io/kubero-dev/kubero-operator/kuberoapp:v0.2.1';
const DEPLOYED = { conditions: [{ type: 'Deployed', status: 'True' }], deployedRelease: { name: 'checkout' } };
const labels = (version: number) => ({ owner: 'helm', name: 'checkout', version: `${version}` });
const release = (version: number): string => `sh.helm.release.v1.checkout.v${version}`;

/** A pipeline whose configuration has the failure, in mode auto, with the real exporter, engine and definition. */
class World {
  readonly clock = new VirtualClock(START);
  readonly cluster: MemoryCluster;
  readonly problems: string[] = [];
  readonly #remediation = complete('kubero/slow-release-storm', definition);
  readonly #state = new SqliteState(openDatabase(':memory:'));
  readonly #schedule: SqliteSchedule;
  readonly #engine: Engine;
  readonly #reducer = new Reducer({
    cluster: 'prod',
    rules: this.#remediation.when.map((pattern) => ({ name: this.#remediation.name, pattern })),
  });

  constructor({ status = {}, replicas = 1, served = SERVED }: { status?: object; replicas?: number; served?: string[] }) {
    this.cluster = new MemoryCluster(served, this.clock.now);
    if (served.includes(SERVED[0] ?? '')) {
      const spec = { deploymentstrategy: 'git', registry: { createSecret: 'copy' } };
      this.cluster.create(PIPELINE, { apiVersion: 'application.kubero.dev/v1alpha1', kind: 'KuberoPipeline', spec, status } as object);
      this.cluster.create(OPERATOR, deployment(IMAGE, undefined, replicas));
    }
    const database = openDatabase(':memory:');
    const onProblem = (problem: string) => this.problems.push(problem);
    this.#schedule = new SqliteSchedule(database, this.clock, onProblem);
    const artifacts = memoryArtifacts();
    this.#engine = new Engine({
      remediations: [this.#remediation],
      access: (name) => ({ examine: () => new LiveCluster(name, this.cluster, artifacts), sender: this.cluster }),
      ...{ state: this.#state, schedule: this.#schedule, artifacts, bus: { publish: async () => undefined } },
      ...{ now: this.clock.now, owner: 'p', onProblem },
    });
    this.#schedule.start((appointment) => this.#engine.due(appointment));
  }

  /** Stores a Secret as `kubectl create --field-manager=helm-operator` does, and streams it to the exporter. */
  async create(name: string, version: number): Promise<Envelope[]> {
    const path = `/api/v1/namespaces/kubero/secrets/${name}`;
    return this.claim({
      apiVersion: 'v1',
      kind: 'Secret',
      ...this.cluster.create(path, { type: 'Opaque', metadata: { name, labels: labels(version) } }, 'helm-operator'),
    });
  }

  /** Streams a Secret to the exporter, whether it exists or not. */
  async claim(object: KubernetesObject): Promise<Envelope[]> {
    const receivedAt = new Date(this.clock.now()).toISOString();
    const facts = this.#reducer.watch({ receivedAt, resource: 'secrets', type: 'ADDED', object });
    await this.#state.set('mode/kubero/slow-release-storm', 'auto');
    for (const { detail } of facts) await this.#engine.fact(this.#remediation.name, detail as unknown as Fact);
    return facts;
  }

  remove(version: number): void {
    this.cluster.remove(`/api/v1/namespaces/kubero/secrets/${release(version)}`);
  }

  async pass(seconds: number): Promise<void> {
    await runUntil(this.clock, [this.#schedule], this.clock.now() + seconds * 1_000);
  }

  async incident(): Promise<Incident> {
    const [incident] = await this.#state.list();
    if (!incident) throw new Error('No incident was opened');
    return incident;
  }
}

/** Four revisions 20 s apart, and two minutes more. */
async function four(world: World, make: (version: number) => Promise<Envelope[]>): Promise<string[]> {
  const facts: Envelope[] = [];
  for (const version of [41, 42, 43, 44]) {
    facts.push(...(await make(version)));
    await world.pass(20);
  }
  // Otherwise nothing was attacked.
  expect(facts).toHaveLength(4);
  await world.pass(120);
  expect(world.problems).toEqual([]);
  return (await world.incident()).history.map(({ state, because }) => `${state}: ${because}`);
}

describe('revisions that only look like helm-operator made them', () => {
  it('four facts about Secrets that do not exist lead to no write, and the incident says that no upgrade was seen', async () => {
    const world = new World({ status: DEPLOYED });
    const history = await four(world, (version) =>
      world.claim({
        ...{ apiVersion: 'v1', kind: 'Secret' },
        metadata: {
          ...{ name: release(version), namespace: 'kubero', uid: `never-${version}`, resourceVersion: `${version}` },
          ...{ labels: labels(version), managedFields: [{ manager: 'helm-operator' }] },
        },
      }),
    );
    expect(history.at(-1)).toBe('cleared: no upgrade was seen for 6m');
    expect(world.cluster.writes).toEqual([]);
  });

  it('four empty Secrets of a tenant with other names lead to no write, and the incident says that no upgrade was seen', async () => {
    const world = new World({ status: DEPLOYED });
    const history = await four(world, (version) => world.create(`harmless-${version}`, version));
    expect(history.at(-1)).toBe('cleared: no upgrade was seen for 6m');
    expect(world.cluster.writes).toEqual([]);
  });

  it('four empty Secrets of a tenant with the names of revisions are reported, because the pipeline has no release', async () => {
    const world = new World({ status: { conditions: [] } });
    const history = await four(world, (version) => world.create(release(version), version));
    expect(history.at(-1)).toMatch(
      /^reported: .*does not write, because the status of the pipeline does not say that a release is deployed$/,
    );
    expect(world.cluster.writes).toEqual([]);
  });

  it('they are reported where the operator is scaled to zero, because then it made none of them', async () => {
    const world = new World({ status: DEPLOYED, replicas: 0 });
    const history = await four(world, (version) => world.create(release(version), version));
    expect(history.at(-1)).toMatch(/^reported: .*the operator kubero-operator-system\/kubero-operator-controller-manager does not run$/);
    expect(world.cluster.writes).toEqual([]);
  });

  it('they are reported where a release exists with other numbers, because Helm leaves no gap', async () => {
    const world = new World({ status: DEPLOYED });
    world.cluster.create(
      `/api/v1/namespaces/kubero/secrets/${release(3)}`,
      { type: 'Opaque', metadata: { name: release(3), labels: labels(3) } },
      'helm-operator',
    );
    const history = await four(world, (version) => world.create(release(version), version));
    expect(history.at(-1)).toMatch(/^reported: .*revision 41 exists without the one before it/);
    expect(world.cluster.writes).toEqual([]);
  });

  it('a Secret whose label names another revision than its name is not counted', async () => {
    const world = new World({ status: DEPLOYED });
    const history = await four(world, (version) => world.create(release(version), version + 1));
    expect(history.at(-1)).toBe('cleared: no upgrade was seen for 6m');
    expect(world.cluster.writes).toEqual([]);
  });

  it('the same revisions lead to the annotation where a running operator has deployed the release: the tests above can fail', async () => {
    const world = new World({ status: DEPLOYED });
    const history = await four(world, async (version) => {
      world.remove(version - 2);
      return world.create(release(version), version);
    });
    expect(history.some((line) => line.startsWith('applied'))).toBe(true);
    expect(world.cluster.writes.map(({ method, path }) => [method, path])).toEqual([['PATCH', PIPELINE]]);
  });
});

describe('releases of another helm-operator', () => {
  it('open no report where Kubero is not installed', async () => {
    const world = new World({ served: ['/apis/apps/v1/deployments', '/api/v1/secrets', CRDS] });
    const history = await four(world, (version) => world.create(release(version), version));
    expect(history).toEqual(['detected: the rule matched', 'cleared: no KuberoPipeline has this release']);
  });

  it('cannot be judged where the definition of the kind cannot be read', async () => {
    const world = new World({ served: ['/apis/apps/v1/deployments', '/api/v1/secrets'] });
    const history = await four(world, (version) => world.create(release(version), version));
    expect(history.at(-1)).toMatch(/^(waiting: not certain|reported: it cannot be examined): GET .*customresourcedefinitions/);
  });
});
