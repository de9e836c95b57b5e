import type { Cluster } from '../../../shared/cluster.ts';
import { variableOf } from '../operator/deployments.ts';
import { responsibleFor } from '../operator/responsible.ts';
import { isRelease, statementsOf } from '../operator/witnesses.ts';

/** What Strimzi's installation files call it; the right to read leases is pinned to this name. */
export const LEASE = 'strimzi-cluster-operator';

/** The operator that is responsible for a namespace. */
export type Operator = { namespace: string; version: string | null };

/** The lease as it was first seen with its present content; `since` in milliseconds by our own clock. */
export type Seen = { holder: string; renewTime: string; since: number };

/**
 * `silent`: the leader died. `released`: it was stopped and said so. `unknown`: no lease says anything.
 * As the candidates themselves do, only our own clock decides: a lease that did not move for its duration, however the leader's clock goes.
 */
export type Leader = 'alive' | 'released' | 'silent' | 'unknown';

/** Finds the one operator that runs, watches `namespace` and elects its leader over the usual lease. A string: why there is no such operator. */
export async function findOperator(cluster: Cluster, namespace: string): Promise<Operator | string> {
  const { operators, unsure } = await responsibleFor(cluster, namespace);
  const [deployment] = operators;
  if (!deployment) return `no operator is found that runs and watches the namespace ${namespace}`;
  if (operators.length > 1) return `more than one operator watches the namespace ${namespace}`;
  if (unsure.length > 0) return `whether the operator watches the namespace ${namespace} is not in its Deployment`;
  const setting = (name: string) => variableOf(deployment, `STRIMZI_LEADER_ELECTION_${name}`);
  if (setting('ENABLED') !== 'true') return 'the operator elects no leader (STRIMZI_LEADER_ELECTION_ENABLED)';
  if (setting('LEASE_NAME') !== LEASE) return `the Lease of the operator is not named ${LEASE} (STRIMZI_LEADER_ELECTION_LEASE_NAME)`;
  const home = setting('LEASE_NAMESPACE');
  if (home === undefined) return 'the namespace of the Lease is not known (STRIMZI_LEADER_ELECTION_LEASE_NAMESPACE)';
  const [version = '', ...others] = [...new Set(statementsOf(deployment).map(({ says }) => says))];
  return { namespace: home, version: others.length === 0 && isRelease(version) ? version : null };
}

/** Reads the lease, and compares it with what was seen before. */
export async function observe(
  cluster: Cluster,
  operator: Operator | null,
  before: Seen | null,
  now: number,
): Promise<{ leader: Leader; seen: Seen | null }> {
  if (!operator) return { leader: 'unknown', seen: null };
  const { namespace } = operator;
  const lease = await cluster.get({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace, name: LEASE });
  const { holderIdentity: holder, renewTime, leaseDurationSeconds: seconds } = (lease?.spec ?? {}) as Record<string, unknown>;
  // A released lease keeps its times, but has no holder.
  if (lease && !holder) return { leader: 'released', seen: null };
  if (typeof holder !== 'string' || typeof renewTime !== 'string') return { leader: 'unknown', seen: null };
  if (typeof seconds !== 'number' || seconds <= 0) return { leader: 'unknown', seen: null };
  const seen = before?.holder === holder && before.renewTime === renewTime ? before : { holder, renewTime, since: now };
  return { leader: now - seen.since >= seconds * 1_000 ? 'silent' : 'alive', seen };
}
