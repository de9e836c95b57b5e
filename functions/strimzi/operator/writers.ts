import type { Actor } from '../../../events/writes-counted.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import type { Fact } from '../../../shared/remediation.ts';
import { accountOf } from './deployments.ts';

/** Who wrote the object, as a fact reports it from the audit log. */
export interface Writers {
  actors: Actor[];
}

/** The writers that a fact names; none where nothing was counted. */
export const hintsOf = (fact: Fact): Writers => ({ actors: 'actors' in fact ? fact.actors : [] });

/** The user agent of a Strimzi operator, which any client can send. */
const USER_AGENT = /^strimzi-cluster-operator\/(\S+)/;

/** What the writers claim about the operator. All of it can only contradict what the cluster says. */
export interface Claims {
  /** Versions in the user agents of a Strimzi operator, whoever sent them. */
  versions: string[];
  /** The pods of writers that are the operator or call themselves one: the name, with its UID where the API server knows it. */
  pods: string[];
  /** The users that the API server authenticated as the ServiceAccount of a recognised operator. */
  authenticated: string[];
}

/** Sorts the writers: an actor is the operator only when the API server authenticated it as the ServiceAccount of one of `operators`. */
export function claimsOf(actors: Actor[], operators: KubernetesObject[]): Claims {
  const accounts = operators.map(accountOf);
  const isOperator = ({ user, impersonator }: Actor): boolean => impersonator === undefined && accounts.includes(user);
  const calledOperator = actors.filter(({ userAgent }) => USER_AGENT.test(userAgent));
  return {
    versions: distinct(calledOperator.map(({ userAgent }) => USER_AGENT.exec(userAgent)?.[1])),
    pods: distinct([...calledOperator, ...actors.filter(isOperator)].map(podOf)),
    authenticated: distinct(actors.filter(isOperator).map(({ user }) => user)),
  };
}

const podOf = ({ pod, podUid }: Actor): string | undefined => (podUid === undefined ? pod : `${pod ?? 'pod'} (${podUid})`);

export const distinct = (values: (string | undefined)[]): string[] => [...new Set(values.filter((value) => value !== undefined))].sort();
