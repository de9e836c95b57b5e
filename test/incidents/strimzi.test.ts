import { describe, expect, it } from '@jest/globals';
import type { Incident } from '../../shared/incident.ts';
import { play } from './play.ts';

const isStorm = ({ remediation }: Incident): boolean => remediation === 'strimzi/upgrade-stale-crds';

describe('recordings of real Strimzi operators', () => {
  it('storm-start: one incident, the fix planned at the third phantom write and confirmed 5 s later', async () => {
    const incidents = (await play('strimzi-storm-start')).filter(isStorm);
    expect(incidents).toHaveLength(1);
    const [incident] = incidents;
    expect(incident?.object).toMatchObject({ resource: 'kafkas', namespace: 'kafka', name: 'my-cluster' });
    expect(incident?.history.map(({ at, state }) => [new Date(at).toISOString().slice(11, 19), state])).toEqual([
      ['02:02:05', 'detected'],
      ['02:02:05', 'planned'],
      ['02:02:10', 'shadowed'],
    ]);
    expect(incident?.plan?.steps).toEqual([
      expect.objectContaining({ kind: 'apply', target: expect.objectContaining({ name: 'kafkas.kafka.strimzi.io' }) }),
    ]);
  });

  it.each(['strimzi-ca-interrupted', 'strimzi-ca-uninterrupted'])('%s: no write storm', async (name) => {
    expect((await play(name)).filter(isStorm)).toEqual([]);
  });

  it('says that a kind was not recorded instead of calling it absent', async () => {
    const withoutCrds = await play('strimzi-storm-start', (events) =>
      events.filter((one) => one.kind !== 'watch' || one.event.resource !== 'customresourcedefinitions'),
    );
    expect(withoutCrds.map(({ state, plan }) => ({ state, plan }))).not.toContainEqual(
      expect.objectContaining({ plan: expect.anything() }),
    );
    expect(withoutCrds[0]?.history.map(({ because }) => because).join()).toContain('not recorded');
  });

  it('finds nothing in a recording of audit alone: without the objects nothing is phantom', async () => {
    expect(await play('strimzi-storm-start', (events) => events.filter(({ kind }) => kind === 'audit'))).toEqual([]);
  });
});
