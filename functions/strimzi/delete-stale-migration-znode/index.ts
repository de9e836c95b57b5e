import satisfies from 'semver/functions/satisfies.js';
import { allLive } from '../../../shared/evidence.ts';
import { remediation } from '../../../shared/remediation.ts';
import { clear, fix, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';
import { deleteStep, lockOf } from '../../../shared/znode-step.ts';
import { identify } from '../operator/identify.ts';
import { withoutVersion } from '../operator/without-version.ts';
import { hintsOf } from '../operator/writers.ts';
import { emergency } from './emergency.ts';
import { controllerOf, migrationIn, stillness, zookeeperOf } from './nodes.ts';
import { KRAFT, look, migrationOf, unrest } from './situation.ts';
import { beforeTheNextAttempt, undecided } from './tell.ts';

const KAFKAS = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas' };
const CLUSTER = 'strimzi.io/cluster';
/** What `shared/zookeeper/shell.ts` runs: any node is read, and only `/migration` is deleted, or created again by an undo. */
const SHELL = ['env', 'TZ=UTC', 'KAFKA_HEAP_OPTS=-Xmx32M', 'bin/zookeeper-shell[.]sh', 'localhost:12181'];
const NODE = '/[a-z0-9_/]+';
const COMMANDS = [
  [...SHELL, 'sync', NODE],
  [...SHELL, 'get', '-s', NODE],
];
const WRITE_COMMANDS = [
  [...SHELL, 'delete', '-v', '[0-9]+', '/migration'],
  // The data that was deleted: JSON text, so that it is no option of the shell.
  [...SHELL, 'create', '/migration', '[{][\\s\\S]*[}]\\s*'],
];
const AFFECTED = '>=0.40.0 <0.46.0';

export default remediation({
  title: 'Delete the /migration node that a KRaft rollback left in ZooKeeper',
  cause: {
    issue: 'strimzi/strimzi-kafka-operator#11262 (fixed by #11271 in 0.45.1)',
    affects: 'Strimzi 0.40.0 to 0.45.0; nodes left by those also under 0.45.1 and 0.45.2',
    because:
      'A rollback deletes /controller but not /migration. The next attempt takes the copy for done and makes ZooKeeper equal to its own empty metadata: every topic is deleted.',
  },
  when: [
    whenObjectChanged(KAFKAS, {
      change: ['modified'],
      changed: ['/status/kafkaMetadataState', '/metadata/annotations/strimzi.io~1kraft', '/metadata/annotations'],
      current: { status: { kafkaMetadataState: ['ZooKeeper', 'KRaftMigration'] } },
    }),
    whenObjectChanged(
      { ...KAFKAS, resource: 'kafkanodepools' },
      { change: ['deleted'], previous: { metadata: { labels: { [CLUSTER]: [{ exists: true }] } }, spec: { roles: ['controller'] } } },
    ),
  ],
  rights: [
    { group: KAFKAS.group, resources: ['kafkas', 'kafkanodepools'], verbs: ['get', 'list'] },
    { group: '', resources: ['pods', 'persistentvolumeclaims'], verbs: ['list'] },
    { group: 'apps', resources: ['deployments'], scope: 'cluster', verbs: ['list'] },
    { group: '', resources: ['pods/portforward'], pinned: 'zookeeper-pods', verbs: ['get', 'create'] },
    // Only where port-forward is forbidden. By RBAC alone, exec can run anything in the pod.
    {
      group: '',
      resources: ['pods/exec'],
      pinned: 'zookeeper-exec-pods',
      commands: COMMANDS,
      writeCommands: WRITE_COMMANDS,
      verbs: ['get', 'create'],
    },
  ],
  // It writes to ZooKeeper, through a stream that the API server does not look into.
  writes: [],
  limits: { confirmAfter: '10s', settleWithin: '5s', stableFor: '10s', verifyWithin: '5m' },

  subject(fact) {
    const { namespace, resource, name } = fact.object;
    const previous = ('previous' in fact ? fact.previous : undefined) as { metadata?: { labels?: Record<string, string> } } | undefined;
    const kafka = resource === KAFKAS.resource ? name : previous?.metadata?.labels?.[CLUSTER];
    return kafka === undefined ? undefined : { ...KAFKAS, namespace, name: kafka };
  },

  hints: hintsOf,

  scan: { kinds: [{ group: KAFKAS.group, resource: KAFKAS.resource }] },

  async examine(examination): Promise<Verdict> {
    const { cluster, incident, now } = examination;
    const kafka = await cluster.get(incident.object);
    if (!kafka || kafka.metadata.deletionTimestamp) return clear('the Kafka resource is gone');
    const { state = 'unknown', annotation } = migrationOf(kafka);
    if (!kafka.spec?.zookeeper || !STATES.includes(state)) return clear(`it has left ZooKeeper, or never told (state ${state})`);
    if (annotation === 'enabled') return clear(`${KRAFT} is "enabled": no rollback is wanted`);
    if (state !== 'ZooKeeper' && annotation !== 'migration') return wait(`the rollback is under way (state ${state})`, '1m');
    if (annotation === 'rollback') return wait('a rollback is wanted', '1m');
    if (!['ZooKeeper', 'KRaftMigration'].includes(state)) return clear(`a migration is under way (state ${state})`);

    const situation = await look(kafka, cluster);
    const at = zookeeperOf(situation);
    if (!at) return wait('no ZooKeeper pod is Ready', '15s');
    const znode = await cluster.znode(at('/migration'));
    if (!znode) return clear('ZooKeeper has no /migration');
    const value = migrationIn(znode);
    if (!value) return report('/migration has a form that no known Kafka writes');
    const offset = value.kraft_metadata_offset;
    if (offset <= 0) return clear(`/migration says that nothing was copied (offset ${offset}): it is harmless`);
    if (annotation === 'migration') return emergency(situation, znode, offset, now);

    const { controllerPools, controllers } = situation;
    const alive = [...controllerPools, ...controllers].map(({ metadata }) => metadata.name);
    if (alive.length > 0) return undecided(`a controller is still there: ${alive.join(', ')}. Delete its KafkaNodePool first`, examination);
    const controller = await controllerOf(cluster, at);
    if ('broken' in controller) return controller.broken ? report(controller.because) : undecided(controller.because, examination);
    const restless = unrest(situation);
    if (restless) return undecided(restless, examination);
    const reads = stillness(znode, incident.memory, now);
    if (reads.kind === 'moved') return undecided(reads.because, examination, reads.remember);
    if (reads.kind === 'first') return wait(reads.because, '10s', reads.remember);
    const operator = await identify(kafka, examination);
    const found = allLive({ kafka: kafka.metadata.uid ?? '', pod: at('').pod, migration: { ...lockOf(znode), ...value }, controller });
    const because = `the rollback left /migration in ZooKeeper (offset ${offset}): the next migration would delete every topic`;
    if (operator.version === undefined) {
      const advice = ['Do not start another migration while /migration is there'];
      return withoutVersion(operator, { because, evidence: found, advice }, examination);
    }
    const evidence = { ...operator.evidence, ...found };
    if (!satisfies(operator.version, AFFECTED)) {
      return report(`Strimzi ${operator.version} is outside the known range ${AFFECTED}`, { evidence });
    }

    return fix(because, {
      evidence,
      steps: [deleteStep(at('/migration'), znode, KEEP, 'a new attempt must not take the old copy for done')],
      advice: beforeTheNextAttempt(situation),
    });
  },
});

const STATES = ['ZooKeeper', 'KRaftMigration', 'KRaftDualWriting', 'KRaftPostMigration'];
const KEEP = ['/controller', '/controller_epoch', '/brokers/topics'];
