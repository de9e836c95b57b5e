import { allLive, type Evidence } from '../../../shared/evidence.ts';
import type { Leader, Operator } from './leader.ts';
import type { Roll } from './roll.ts';

/** What a person is told of a roll that nothing is written for: where it stands, and what the operator does next. */
export function standing(roll: Roll, unproven: string[], operator: Operator | null): { evidence: Evidence; advice: string[] } {
  const { generation, previous, number, stale } = roll;
  const version = operator?.version ?? 'of an unknown version';
  const staleNames = stale.map(({ metadata }) => metadata.name);
  return {
    evidence: allLive({
      roll: number ?? 'after roll 1',
      generation,
      previous,
      operator: operator?.version ?? null,
      stale: staleNames,
      unproven,
    }),
    advice: [
      `Strimzi ${version} restarts every pod of the cluster again for roll 1 when it has a leader, the rolled ones too, then once more for roll 2 and for roll 3`,
      'Keep the operator running until the roll is over: look at why it stopped (out of memory, evicted, scaled down)',
      `Never set strimzi.io/cluster-ca-key-generation to ${generation} on a pod that was not restarted since: its peers would lock it out`,
      'Strimzi 0.45.0 and later continue where they left off',
    ],
  };
}

/** Why nothing is to be done while the operator is not known to be dead. */
export function underWay(leader: Leader, { number, generation }: Roll, noOperator = 'its Lease does not say'): string {
  const roll = `roll ${number} to key generation ${generation}`;
  if (leader === 'alive') return `${roll} is under way: the operator has a leader`;
  if (leader === 'released') return `${roll} is unfinished, and the operator was stopped properly`;
  return `${roll} is unfinished, and whether the operator has a leader cannot be told: ${noOperator}`;
}
