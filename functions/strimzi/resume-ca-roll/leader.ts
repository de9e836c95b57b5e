import type { Cluster } from '../../../shared/cluster.ts';
import { readOperators, variableOf } from '../operator/deployments.ts';
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

/** Finds the one operator that watches `namespace` and elects its leader over the usual lease. */
export async function findOperator(cluster: Cluster, namespace: string): Promise<Operator | undefined> {
  const watching = (await readOperators(cluster)).filter((deployment) => {
    const watched = variableOf(deployment, 'STRIMZI_NAMESPACE');
    return watched !== undefined && (watched === '*' || watched.split(',').some((one) => one.trim() === namespace));
  });
  const [deployment] = watching;
  if (!deployment || watching.length > 1) return undefined;
  if (variableOf(deployment, 'STRIMZI_LEADER_ELECTION_ENABLED') !== 'true') return undefined;
  if (variableOf(deployment, 'STRIMZI_LEADER_ELECTION_LEASE_NAME') !== LEASE) return undefined;
  const home = variableOf(deployment, 'STRIMZI_LEADER_ELECTION_LEASE_NAMESPACE');
  const [version = '', ...others] = [...new Set(statementsOf(deployment).map(({ says }) => says))];
  return home === undefined ? undefined : { namespace: home, version: others.length === 0 && isRelease(version) ? version : null };
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
  // A released lease keeps its times, but nobody holds it.
  if (lease && !holder) return { leader: 'released', seen: null };
  if (typeof holder !== 'string' || typeof renewTime !== 'string' || typeof seconds !== 'number') return { leader: 'unknown', seen: null };
  const seen = before?.holder === holder && before.renewTime === renewTime ? before : { holder, renewTime, since: now };
  return { leader: now - seen.since >= seconds * 1_000 ? 'silent' : 'alive', seen };
}
