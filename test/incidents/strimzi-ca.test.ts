import { describe, expect, it } from '@jest/globals';
import type { Recorded } from '../../infra/local/bundle.ts';
import type { Incident } from '../../shared/incident.ts';
import { play as playAll } from './play.ts';

const NAME = 'strimzi/resume-ca-roll';
type Events = Recorded[];

/** The incidents of this remediation alone. */
const play = async (recording: string, change?: (events: Events) => Events): Promise<Incident[]> =>
  (await playAll(recording, change)).filter(({ remediation }) => remediation === NAME);

const clockOf = (at: number): string => new Date(at).toISOString().slice(11, 19);
const kindsOf = ({ history }: Incident): (string | undefined)[] => history.map(({ verdict }) => verdict?.kind);

/** Leaves out what was watched, or changes it. */
const watched =
  (change: (object: { metadata: { name: string; annotations?: Record<string, string> } }, resource: string) => boolean) =>
  (events: Events): Events =>
    events.filter((one) => one.kind !== 'watch' || change(one.event.object as Parameters<typeof change>[0], one.event.resource));

describe('recordings of real CA key replacements', () => {
  it('interrupted: the fix is planned and confirmed while nobody leads, for the three entries and the three pods', async () => {
    const [incident, ...others] = await play('strimzi-ca-interrupted');
    expect(others).toEqual([]);
    expect(incident?.object).toMatchObject({ resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' });
    expect(incident?.history.map(({ at, state }) => [clockOf(at), state])).toEqual([
      ['02:27:11', 'detected'],
      ['02:27:11', 'waiting'],
      ['02:27:55', 'waiting'],
      ['02:27:58', 'planned'],
      ['02:28:03', 'shadowed'],
    ]);
    const writes = (incident?.plan?.steps ?? []).flatMap((step) => {
      if (step.kind !== 'json-patch') throw new Error(`${step.kind} is another kind of write`);
      return step.operations.filter(({ op }) => op !== 'test').map(({ path, value }) => [step.target.name, path, value ?? '']);
    });
    const annotation = 'metadata/annotations/strimzi.io~1cluster-ca-key-generation';
    expect(writes).toEqual([
      ...[0, 1, 2].map((index) => ['my-cluster-dual', `/spec/pods/${index}/${annotation}`, '3']),
      ...[0, 1, 2].map((id) => [`my-cluster-dual-${id}`, `/${annotation}`, '3']),
    ]);
  });

  it('uninterrupted: watched to the end, and nothing said', async () => {
    const [incident] = await play('strimzi-ca-uninterrupted');
    expect(incident?.state).toBe('cleared');
    expect(incident && kindsOf(incident)).not.toContain('fix');
    expect(incident && kindsOf(incident)).not.toContain('report');
  });

  it('storm-start: nothing', async () => {
    expect(await play('strimzi-storm-start')).toEqual([]);
  });

  it.each<[string, Parameters<typeof watched>[0]]>([
    ['without Events: the pod that came back at once is unproven', (_, resource) => resource !== 'events'],
    [
      'with only the Event of that pod missing',
      (object, resource) => resource !== 'events' || (object as { regarding?: { name?: string } }).regarding?.name !== 'my-cluster-dual-1',
    ],
    ['without the leases', (_, resource) => resource !== 'leases'],
    ['without Deployments', (_, resource) => resource !== 'deployments'],
  ])('interrupted, %s: no fix', async (_, keep) => {
    for (const incident of await play('strimzi-ca-interrupted', watched(keep))) expect(kindsOf(incident)).not.toContain('fix');
  });

  it('interrupted, the flip seen only through a list: the same plan, because the Secrets say when they were written', async () => {
    const listed = (events: Events): Events =>
      events.map((one) =>
        one.kind === 'watch' &&
        (one.event.object as { metadata: { name: string } }).metadata.name === 'my-cluster-cluster-ca' &&
        one.event.type === 'MODIFIED'
          ? { ...one, event: { ...one.event, fromList: true, gap: true } }
          : one,
      );
    const [seen] = await play('strimzi-ca-interrupted');
    const [incident] = await play('strimzi-ca-interrupted', listed);
    expect(incident?.plan?.hash).toBe(seen?.plan?.hash);
  });

  it('interrupted, without the times of the Secrets: a report that says so, no fix', async () => {
    const [incident] = await play(
      'strimzi-ca-interrupted',
      watched((object, resource) => {
        if (resource === 'secrets') delete (object as { metadata: { managedFields?: unknown } }).metadata.managedFields;
        return true;
      }),
    );
    expect(incident?.state).toBe('reported');
    expect(incident?.because).toContain('my-cluster-cluster-ca does not say when its generation was written');
    expect(incident && kindsOf(incident)).not.toContain('fix');
  });
});
