import satisfies from 'semver/functions/satisfies.js';
import { milliseconds } from '../../../shared/duration.ts';
import { remediation } from '../../../shared/remediation.ts';
import { clear, report, type Verdict, wait } from '../../../shared/verdict.ts';
import { whenObjectChanged } from '../../../shared/when.ts';
import { hintsOf } from '../operator/writers.ts';
import { interrupted } from './interrupted.ts';
import { LEASE, observe } from './leader.ts';
import { MARKS } from './mark.ts';
import { KAFKAS, KEY, PODSETS, readRoll, SUFFIX } from './roll.ts';
import { spared } from './spared.ts';
import { standing, underWay } from './tell.ts';
import { recall } from './trust.ts';
import { findUnproven } from './unproven.ts';

const SECRETS = { group: '', resource: 'secrets' };
const generation = { metadata: { annotations: { [KEY]: [{ exists: true as const }] } } };
/** Longer than every timeout of the operator: a pod that does not start (5 min), a missed resync (5 + 2 min). */
const STUCK = milliseconds('15m');

export default remediation({
  title: 'Finish the first roll of a Strimzi CA key replacement that was interrupted',
  cause: {
    issue: 'strimzi/strimzi-kafka-operator#10710 (fixed by #10876)',
    affects: 'Strimzi 0.36.0 to 0.44.x',
    because:
      'Pods are recreated with the old key generation, so an operator that is restarted rolls every pod again, and with each restart.',
  },
  when: whenObjectChanged(SECRETS, {
    object: { group: [SECRETS.group], resource: [SECRETS.resource], name: [{ suffix: SUFFIX }] },
    changed: [`/metadata/annotations/${KEY.replace('/', '~1')}`],
    current: generation,
    previous: generation,
  }),
  // A cluster's name is part of its objects' names, so whoever installs it can pin them; a list cannot be pinned.
  rights: [
    { group: '', resources: ['secrets'], pinned: 'kafka-secrets', verbs: ['get'] },
    { group: KAFKAS.group, resources: [KAFKAS.resource], verbs: ['get'] },
    { group: PODSETS.group, resources: [PODSETS.resource], verbs: ['list'] },
    { group: PODSETS.group, resources: [PODSETS.resource], pinnable: 'kafka-podsets', verbs: ['get'] },
    { group: '', resources: ['pods'], verbs: ['list'] },
    { group: '', resources: ['pods'], pinnable: 'kafka-pods', verbs: ['get'] },
    { group: 'apps', resources: ['deployments'], scope: 'cluster', verbs: ['list'] },
    { group: 'coordination.k8s.io', resources: ['leases'], names: [LEASE], scope: 'cluster', verbs: ['get'] },
    { group: 'events.k8s.io', resources: ['events'], verbs: ['list'] },
  ],
  writes: MARKS,
  limits: { confirmAfter: '5s', settleWithin: '1s', stableFor: '5s', verifyWithin: '30m' },
  subject({ object: { namespace, name } }) {
    if (!name.endsWith(SUFFIX)) return undefined;
    return { ...KAFKAS, kind: 'Kafka', ...(namespace && { namespace }), name: name.slice(0, -SUFFIX.length) };
  },

  hints: hintsOf,

  capture: { env: ['STRIMZI_NAMESPACE', ...['ENABLED', 'LEASE_NAME', 'LEASE_NAMESPACE'].map((name) => `STRIMZI_LEADER_ELECTION_${name}`)] },
  scan: { kinds: [{ group: KAFKAS.group, resource: KAFKAS.resource }] },

  async examine(examination): Promise<Verdict> {
    const { cluster, incident, now } = examination;
    const roll = await readRoll(cluster, incident.object);
    if (!roll) return clear('the cluster has no CA key with a generation, or an operator far newer than the defect keeps it');
    if (roll.number === undefined && incident.fixed) return spared(roll, incident.fixed, cluster);
    if (roll.number === undefined) return clear(`every pod trusts key generation ${roll.generation}: rolls 2 and 3 are never repeated`);
    const { memory, noOperator } = await recall(examination, roll);
    const { operator } = memory;
    const { leader, seen } = await observe(cluster, operator, memory.seen, now);
    const remember = { ...memory, seen };

    if (leader === 'silent') return interrupted(roll, remember, examination);
    if (operator?.version && satisfies(operator.version, '>=0.45.0'))
      return clear(`Strimzi ${operator.version} continues where it left off`);
    const because = underWay(leader, roll, noOperator);
    const newest = Math.max(incident.detectedAt, ...roll.pods.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '')));
    if (now - newest < STUCK) return wait(because, leader === 'alive' ? '2s' : '5s', remember);
    const { unproven } = await findUnproven(roll, undefined, memory, examination);
    return report(`${because}, but no pod was restarted for 15 minutes`, standing(roll, unproven, operator));
  },
});
