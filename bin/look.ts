import type { ObjectReference } from '../events/fact.ts';
import { examine } from '../shared/examine.ts';
import { subjectOf } from '../shared/hand-in.ts';
import { LiveCluster } from '../shared/kubernetes/live-cluster.ts';
import { nameOf } from '../shared/kubernetes/object.ts';
import { Transport } from '../shared/kubernetes/transport.ts';
import { open } from '../shared/open.ts';
import type { Fact, Remediation } from '../shared/remediation.ts';
import type { Verdict } from '../shared/verdict.ts';
import { describeEvidence, describePlan } from './describe.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { openArtifacts, stateDirectory } from './store.ts';
import { type Call, text } from './verb.ts';

/** The options of a verb that reads a live cluster. */
export const clusterOptions = {
  kubeconfig: { type: 'string', help: 'the kubeconfig file (default: $KUBECONFIG or ~/.kube/config)' },
  context: { type: 'string', help: 'the context in it (default: the current one)' },
} as const;

/** A connection by those options; the caller closes it. */
export async function connect(call: Call): Promise<{ cluster: string; transport: Transport }> {
  const { cluster, connection } = await readKubeconfig(text(call, 'kubeconfig') ?? call.environment.kubeconfig, text(call, 'context'));
  return { cluster, transport: new Transport(connection) };
}

/** What one look came to. */
export interface Look {
  /** False: the cluster did not answer, or time has to pass for an answer. */
  decided: boolean;
  object?: ObjectReference;
  verdict?: Verdict;
  planHash?: string;
  doubt?: string;
}

/** Asks a remediation about a fact, once, against the live cluster, and tells what it would do. Nothing is stored, nothing written. */
export async function lookOnce(call: Call, remediation: Remediation, fact: Fact): Promise<Look> {
  const object = subjectOf(remediation, fact);
  if (!object) {
    tell(call, `${nameOf(fact.object)}: nothing that ${remediation.name} is about`);
    return { decided: true };
  }
  const { transport } = await connect(call);
  try {
    const now = Date.now();
    const cluster = new LiveCluster(fact.cluster, transport, openArtifacts(stateDirectory(call)));
    const { verdict, plan } = await examine(remediation, open(fact, object, remediation.name, 1, now), 'detect', cluster, now);
    tell(call, `${nameOf(object)}: ${verdict.kind}: ${verdict.because}`);
    const lines = plan ? describePlan(plan) : verdict.kind === 'report' ? describeEvidence(verdict.evidence) : [];
    for (const line of lines) tell(call, line);
    return { decided: verdict.kind !== 'wait', object, verdict, ...(plan && { planHash: plan.hash }) };
  } catch (error) {
    const because = (error as Error).message;
    tell(call, `${nameOf(object)}: not certain: ${because}`);
    return { decided: false, object, doubt: because };
  } finally {
    transport.close();
  }
}

function tell(call: Call, line: string): void {
  if (!call.json) call.out(line);
}
