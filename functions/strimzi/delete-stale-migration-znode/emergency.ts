import { allLive } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { report, type Verdict, wait } from '../../../shared/verdict.ts';
import type { Znode } from '../../../shared/zookeeper/client.ts';
import { KRAFT, type Situation } from './situation.ts';

/** A new attempt was asked for while `/migration` of the last one is there. A person has to act: once a controller runs, deleting it alone breaks the brokers. */
export function emergency(situation: Situation, znode: Znode, offset: number, now: number): Verdict {
  const { state, controllerPools, controllers, namespace, name } = situation;
  // In the state KRaftMigration the copy may be this attempt's own: then it is younger than the pools that made it.
  const isOld = state === 'ZooKeeper' || controllerPools.some((pool) => createdAt(pool) > znode.ctime);
  if (!isOld) return wait('the migration has copied the metadata: the operator will see that in a moment', '1m');
  const left = timeLeft(situation, znode, offset, now);
  const because = `${KRAFT} is "migration" while /migration of an earlier attempt is in place (offset ${offset}): Kafka will take it for done and delete every topic. ${left}`;
  const back = `kubectl -n ${namespace} annotate kafka ${name} ${KRAFT}=disabled --overwrite`;
  const early = [`No controller runs yet. Set the annotation back, now: ${back}`, 'Then this remediation deletes the node by itself'];
  const pools = controllerPools.map(({ metadata }) => metadata.name).join(' ');
  const late = [
    'Controllers run. Do not delete /migration under them: the brokers would serve no topic until somebody repairs that',
    `1. Stop every controller: kubectl -n ${namespace} delete kafkanodepool ${pools || '(the controller pool)'}`,
    `2. When no controller pod is left, in pod ${name}-zookeeper-0: bin/zookeeper-shell.sh localhost:12181 delete -v ${znode.version} /migration, after reading that the version is still ${znode.version}; then delete /controller`,
    '3. Delete the claims of the controllers',
    `4. ${back}, and let the brokers be restarted; then the migration may be started again`,
  ];
  return report(because, {
    evidence: allLive({ annotation: 'migration', state: state ?? '', offset, czxid: znode.czxid }),
    advice: controllers.length > 0 ? late : early,
  });
}

/** A fresh controller appends a record every half second and waits until it has passed the old offset; one that kept its log waits for nothing. */
function timeLeft({ abandoned, controllerClaims, controllers }: Situation, { ctime }: Znode, offset: number, now: number): string {
  const kept = [...abandoned, ...controllerClaims].filter((claim) => createdAt(claim) < ctime).map(({ metadata }) => metadata.name);
  if (kept.length > 0) return `There is no time left once controllers run: they keep the log of that attempt (${kept.join(', ')})`;
  const whole = offset / 2;
  if (controllers.length === 0) return `It happens about ${inWords(whole)} after the new controllers start`;
  const running = (now - Math.min(...controllers.map(createdAt))) / 1_000;
  return running < whole
    ? `About ${inWords(whole - running)} are left (counted from the first controller's start)`
    : 'By the time since the controllers started it may have happened already';
}

const inWords = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;

const createdAt = ({ metadata }: KubernetesObject): number => Date.parse(metadata.creationTimestamp ?? '');
