import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../../shared/canonical.ts';
import type { Fact } from '../../../shared/remediation.ts';
import type { Verdict } from '../../../shared/verdict.ts';
import { ask, at, CTIME, claim, controllerPod, labels, NOW, pool, type World } from '../../../test/fixtures/strimzi-znode.ts';
import { BROKER_CONTROLLER, KRAFT_CONTROLLER, migration } from '../../../test/scenarios/zookeeper/kafka-nodes.ts';
import remediation from './index.ts';

const annotate = (value: string | undefined) => (seen: World) => {
  seen.kafka.metadata.annotations = value === undefined ? {} : { 'strimzi.io/kraft': value };
};
const state = (value: string | undefined) => (seen: World) => {
  seen.kafka.status = { ...seen.kafka.status, kafkaMetadataState: value };
};
const both =
  (...changes: ((seen: World) => void)[]) =>
  (seen: World) => {
    for (const change of changes) change(seen);
  };
const remember = (memory: Json | undefined) => (seen: World) => {
  seen.memory = memory;
};
const late = (seen: World) => {
  seen.detectedAt = NOW - 700_000;
};

describe('the proof', () => {
  it.each([['disabled'], [undefined]])('two equal reads 10 s apart and nothing alive: delete, with the annotation %s', async (value) => {
    const verdict = await ask(annotate(value));
    expect(verdict).toMatchObject({
      kind: 'fix',
      because: expect.stringContaining('left /migration in ZooKeeper (offset 227)'),
      steps: [
        {
          ...{ kind: 'delete-znode', path: '/migration', port: 12181, lock: { czxid: '0x2a', version: 119, mtime: CTIME } },
          target: { resource: 'pods', namespace: 'n', name: 'c-zookeeper-0' },
          keep: ['/controller', '/controller_epoch', '/brokers/topics'],
        },
      ],
    });
  });

  it('names the claims of abandoned controllers for a person, after the node; never as a step', async () => {
    const verdict = await ask((seen) => void seen.persistentvolumeclaims.push(claim(CTIME - 1)));
    expect(verdict).toMatchObject({ kind: 'fix', steps: [{ kind: 'delete-znode' }] });
    expect('advice' in verdict && verdict.advice?.[0]).toBe(
      'Only after this is verified, delete what the abandoned controllers stored: kubectl -n n delete pvc data-c-controller-3',
    );
  });
});

describe('look-alikes', () => {
  it.each<[string, (seen: World) => void, Verdict['kind'], RegExp]>([
    ['there is no node', (seen) => void delete seen.znodes['/migration'], 'clear', /ZooKeeper has no/],
    [
      'nothing was copied',
      (seen) => Object.assign(seen.znodes, { '/migration': { value: migration(-1) } }),
      'clear',
      /offset -1\): it is harmless/,
    ],
    [
      'an unknown form',
      (seen) => Object.assign(seen.znodes, { '/migration': { value: '{"version":1}' } }),
      'report',
      /no known Kafka writes/,
    ],
    ['ZooKeeper is gone from the spec', (seen) => Object.assign(seen.kafka, { spec: {} }), 'clear', /left ZooKeeper/],
    ['KRaft', state('KRaft'), 'clear', /state KRaft/],
    ['no state at all', state(undefined), 'clear', /never told/],
    ['dual writes', both(state('KRaftDualWriting'), annotate('migration')), 'clear', /a migration is under way/],
    ['rolling back from dual writes', both(state('KRaftDualWriting'), annotate('rollback')), 'wait', /rollback is under way/],
    ['disabled, and the operator has not got there', state('KRaftDualWriting'), 'wait', /rollback is under way/],
    ['rollback in capitals', annotate('Rollback'), 'wait', /a rollback is wanted/],
    ['enabled', annotate('enabled'), 'clear', /no rollback is wanted/],
    ['no ZooKeeper pod is Ready', (seen) => Object.assign(seen.pods[0] ?? {}, { status: {} }), 'wait', /no ZooKeeper pod/],
    ['a controller pod is left', (seen) => void seen.pods.push(controllerPod), 'wait', /still there: c-controller-3/],
    ['a controller pool is left', (seen) => void seen.kafkanodepools.push(pool(CTIME)), 'wait', /still there: controller\./],
    ['a controller pool stays', both(late, (seen) => void seen.kafkanodepools.push(pool(CTIME))), 'report', /in place, but a controller/],
    ['no broker leads yet', (seen) => void delete seen.znodes['/controller'], 'wait', /no broker is the controller/],
    ['a KRaft controller leads', (seen) => Object.assign(seen.znodes, { '/controller': { value: KRAFT_CONTROLLER } }), 'report', /epoch 1/],
    [
      '/controller outlives its session',
      (seen) => Object.assign(seen.znodes, { '/controller': { value: BROKER_CONTROLLER } }),
      'report',
      /epoch -1/,
    ],
    ['the leader is not registered', (seen) => void delete seen.znodes['/brokers/ids/0'], 'wait', /broker 0, is not registered/],
    ['a broker is restarting', (seen) => Object.assign(seen.pods[1] ?? {}, { status: {} }), 'wait', /not Ready: c-kafka-0/],
    ['the Kafka is not Ready', (seen) => Object.assign(seen.kafka.status ?? {}, { conditions: [] }), 'wait', /not Ready/],
    ['a change is not seen', (seen) => Object.assign(seen.kafka.metadata, { generation: 4 }), 'wait', /not seen the newest change/],
    ['read once', remember(undefined), 'wait', /read once/],
    ['read twice within 10 s', remember({ czxid: '0x2a', version: 119, mtime: CTIME, at: NOW - 9_999 }), 'wait', /read once/],
    [
      'the version moves',
      remember({ czxid: '0x2a', version: 99, mtime: CTIME, at: NOW - 10_000 }),
      'wait',
      /version 99 became 119 within 10 s/,
    ],
    ['the time moves', remember({ czxid: '0x2a', version: 119, mtime: 1, at: NOW - 10_000 }), 'wait', /writes \/migration/],
    ['created anew', remember({ czxid: '0x1', version: 119, mtime: CTIME, at: NOW - 10_000 }), 'wait', /created anew within 10 s/],
    ['it moved some day', remember({ czxid: '0x2a', version: 99, mtime: 1, at: NOW - 600_000 }), 'wait', /read once/],
    [
      'it moves still',
      both(late, remember({ czxid: '0x2a', version: 99, mtime: 1, at: NOW - 10_000 })),
      'report',
      /in place, but a KRaft controller/,
    ],
    [
      'two operators',
      (seen) =>
        seen.deployments.push({
          metadata: { name: 'p', labels: { app: 'strimzi' } },
          spec: { template: { spec: { containers: [{ image: 'x/operator:0.44.0' }] } } },
        }),
      'report',
      /more than one/,
    ],
    ['deleted', (seen) => Object.assign(seen.kafka.metadata, { deletionTimestamp: at(NOW) }), 'clear', /is gone/],
  ])('%s: no deletion', async (_, change, kind, because) => {
    expect(await ask(change)).toMatchObject({ kind, because: expect.stringMatching(because) });
  });

  it('an operator outside the known range is reported', async () => {
    const verdict = await ask((seen) => {
      seen.deployments[0] = {
        metadata: { name: 'o', labels: { app: 'strimzi' } },
        spec: { template: { spec: { containers: [{ image: 'x/operator:0.39.0' }] } } },
      };
      seen.kafka.status = { ...seen.kafka.status, operatorLastSuccessfulVersion: '0.39.0' };
    });
    expect(verdict).toMatchObject({ kind: 'report', because: expect.stringContaining('outside the known range') });
  });
});

describe('the emergency: a migration is asked for with the node in place', () => {
  const running = (seen: World) => {
    seen.pods.push(controllerPod);
    seen.kafkanodepools.push(pool(NOW - 70_000));
  };
  it.each<[string, (seen: World) => void, Verdict['kind'], RegExp, RegExp]>([
    ['before controllers run', annotate('migration'), 'report', /about 114 s after the new controllers start/, /No controller runs yet/],
    ['fresh controllers', both(annotate('Migration'), running), 'report', /About 54 s are left/, /Do not delete \/migration under them/],
    ['seen late', both(annotate('migration'), state('KRaftMigration'), running), 'report', /About 54 s are left/, /Do not delete/],
    [
      'kept storage',
      both(annotate('migration'), running, (seen) => void seen.persistentvolumeclaims.push(claim(CTIME - 1))),
      'report',
      /no time left once controllers run: .*data-c-controller-3/,
      /Do not delete/,
    ],
  ])('%s: a person is told the time left', async (_, change, kind, because, advice) => {
    const verdict = await ask(change);
    expect(verdict).toMatchObject({ kind, because: expect.stringMatching(because) });
    expect('advice' in verdict && verdict.advice?.[0]).toMatch(advice);
  });

  it('a copy that is younger than its controllers is a migration at work', async () => {
    const own = both(annotate('migration'), state('KRaftMigration'), (seen) => void seen.kafkanodepools.push(pool(CTIME - 60_000)));
    expect(await ask(own)).toMatchObject({ kind: 'wait', because: expect.stringContaining('the migration has copied') });
  });
});

describe('after the deletion', () => {
  it('is over when ZooKeeper says that there is no node', async () => {
    expect(await ask((seen) => void delete seen.znodes['/migration'], { operator: '0.45.0' })).toMatchObject({ kind: 'clear' });
  });
});

describe('the subject', () => {
  it('is the Kafka, also of a node pool that was deleted', () => {
    const kafka = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', namespace: 'n', name: 'c' };
    const gone = { object: { ...kafka, resource: 'kafkanodepools', name: 'controller', uid: 'p' }, previous: { metadata: { labels } } };
    expect(remediation.subject?.({ object: { ...kafka, uid: 'u' } } as unknown as Fact)).toEqual(kafka);
    expect(remediation.subject?.(gone as unknown as Fact)).toEqual(kafka);
  });
});
