import type { Json } from '../../../shared/canonical.ts';
import { audit, type Evidence, type FixEvidence, hint, live } from '../../../shared/evidence.ts';
import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';
import { changedWithin } from '../../../shared/kubernetes/recent.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { isRolling } from './deployments.ts';
import { responsibleFor } from './responsible.ts';
import { isRelease, type Statement, statementsOf, statusStatement } from './witnesses.ts';
import { type Claims, claimsOf, distinct, type Writers } from './writers.ts';

/** The release that every source in the cluster agrees on. */
export interface Known {
  version: string;
  evidence: FixEvidence;
}

/** Why no release is certain. */
export interface Unknown {
  version?: never;
  because: string;
  /** It may pass by itself: an upgrade in flight. */
  passes: boolean;
  /** Releases that the version may be or is built from: they guide a report. */
  candidates: string[];
  evidence: Evidence;
}

/**
 * Which release of Strimzi reconciles `kafka`. At least one source in the cluster has to name it and none may contradict it: the
 * Deployments of running operators that are responsible for its namespace, and what the operator wrote into the Kafka's status. User agents can only contradict.
 */
export async function identify(kafka: KubernetesObject, { hints, cluster, now }: Examination<Writers>): Promise<Known | Unknown> {
  const { namespace = '' } = kafka.metadata;
  const { operators: responsible, unsure, stopped, elsewhere } = await responsibleFor(cluster, namespace);
  // CRDs exist once: an operator of other namespaces has to agree.
  const operators = [...responsible, ...elsewhere];
  const status = statusStatement(kafka, operators);
  const stated = operators.map((operator) => ({ operator: nameOf(operator), statements: statementsOf(operator) }));
  const claims = claimsOf(hints.actors.claimed(), operators);
  const all = [...stated.flatMap(({ statements }) => statements), ...(status ? [status] : [])];
  const releases = distinct(stated.flatMap(({ statements }) => statements.map(({ says }) => says)));
  const unknown = (because: string, passes = false): Unknown => ({
    because,
    passes,
    candidates: distinct(all.map(({ says }) => /^\d+\.\d+\.\d+/.exec(says)?.[0])),
    evidence: {
      operators: live(stated.map(({ operator, statements }) => ({ operator, says: statements.map(inWords) }))),
      ...(status && { status: live(status.says) }),
      ...(claims.versions.length > 0 && { userAgents: hint(claims.versions) }),
    },
  });

  const build = all.find(({ says }) => !isRelease(says));
  if (build) return unknown(`${build.source} names the version ${build.says}, which is not a release of Strimzi`);
  const upgrading = 'the operator is being upgraded, and its CRDs are usually applied next';
  if (responsible.length === 0 && stopped.some(isRolling)) return unknown(upgrading, true);
  if (responsible.length === 0 && stopped.length > 0)
    return unknown(`the operator of the namespace ${namespace} runs no pod: ${stopped.map(nameOf).join(', ')}`, true);
  if (responsible.length === 0)
    return unknown(`no Deployment is recognised as an operator that runs and watches the namespace ${namespace}`);
  if (unsure.length > 0)
    return unknown(`whether ${unsure.map(nameOf).join(', ')} watches the namespace ${namespace} is not in its Deployment`);
  if (operators.length > 1 && releases.length > 1)
    return unknown(`more than one Strimzi operator is deployed: ${stated.map(inFull).join('; ')}`);
  if (releases.length > 1) return unknown(`the Deployment of the operator names several versions: ${stated.map(inFull).join('; ')}`);
  if (claims.versions.length > 1 || claims.pods.length > 1)
    return unknown(`more than one operator wrote here: ${[...claims.versions, ...claims.pods].join(', ')}`, true);
  if (operators.some((operator) => isRolling(operator) || changedWithin(operator, '5m', now))) return unknown(upgrading, true);
  const silent = stated.filter(({ statements }) => statements.length === 0);
  if (silent.length > 0 && operators.length > 1) return unknown(`${silent.map(({ operator }) => operator).join(', ')} names no version`);

  const version = releases[0] ?? (status?.proves ? status.says : undefined);
  if (version === undefined) return unknown('neither the Deployment of the operator nor a recent status names a version');
  if (status && status.says !== version)
    return unknown(`the operator that last reconciled the Kafka is ${status.says}, the one deployed ${version}`, true);
  const other = claims.versions.find((claimed) => claimed !== version);
  if (other !== undefined) return unknown(`the operator that writes calls itself ${other}, the one deployed is ${version}`, true);
  return { version, evidence: evidenceOf(version, stated, claims) };
}

function evidenceOf(version: string, stated: Stated[], { authenticated }: Claims): FixEvidence {
  const sources: Json = distinct(stated.flatMap(({ statements }) => statements.map(({ source }) => source)));
  return {
    operator: live(version),
    namedBy: live(sources.length > 0 ? sources : ['the status of the Kafka']),
    ...(authenticated.length > 0 && { writer: audit(authenticated) }),
  };
}

interface Stated {
  operator: string;
  statements: Statement[];
}

const nameOf = ({ metadata: { namespace, name } }: KubernetesObject): string => `${namespace ? `${namespace}/` : ''}${name}`;
const inWords = ({ source, says }: Statement): string => `${says} (${source})`;
const inFull = ({ operator, statements }: Stated): string => `${operator}: ${statements.map(inWords).join(', ') || 'none'}`;
