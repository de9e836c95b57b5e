import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from '../../events/exporter/watch/discovery.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { LiveCluster } from '../../shared/kubernetes/live-cluster.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import type { Remediation } from '../../shared/remediation.ts';
import { type Found, type ScanResult, scan } from '../../shared/scan.ts';
import { describeEvidence, describeStep } from '../describe.ts';
import { clusterOptions, connect } from '../look.ts';
import { paint } from '../paint.ts';
import { requireKubernetes } from '../proven-api.ts';
import { openArtifacts, stateDirectory } from '../store.ts';
import { stateOption, text, UNDECIDED, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'ask every remediation about every object of its kinds, now: failures that are there, or will be; never writes',
  usage: 'scan [REMEDIATION] [--kubeconfig FILE] [--context NAME] [--patience SECONDS]',
  examples: ['kubemend scan --context staging', 'kubemend scan strimzi/upgrade-stale-crds --json | jq ".findings[].because"'],
  options: {
    ...stateOption,
    ...clusterOptions,
    patience: { type: 'string', help: 'ask again for so many seconds where time has to pass for an answer (default: 30)' },
  },
  positionals: { least: 0, most: 1 },
  async run(call) {
    const all = await loadRemediations();
    const [name] = call.positionals;
    const remediations = all.filter((one) => name === undefined || one.name === name);
    if (remediations.length === 0)
      throw new UsageError(`There is no remediation "${name}"; there are: ${all.map((one) => one.name).join(', ')}`);
    const patience = Number(text(call, 'patience') ?? 30) * 1_000;
    if (!(patience >= 0)) throw new UsageError('--patience takes seconds, as in --patience 60');
    const { cluster, transport } = await connect(call);
    const artifacts = openArtifacts(stateDirectory(call));
    const signal = new AbortController().signal;
    const proven = requireKubernetes(transport);
    try {
      const { findings, undecided, doubts, asked } = await scan({
        ...{ remediations, cluster, patience, now: Date.now, wait: delay, onProgress: call.err },
        view: () => new LiveCluster(cluster, transport, artifacts),
        resolve: async ({ group, resource }) => {
          const served = await resolve((path, ending, accept) => transport.open(path, ending, accept), group, resource, signal);
          if (!served) await proven();
          return served;
        },
      });
      if (call.json) {
        const record = (found: Found) => recordOf(found, remediations);
        call.out(JSON.stringify({ cluster, asked, findings: findings.map(record), undecided: undecided.map(record), doubts }));
      } else {
        for (const found of findings) for (const line of describe(found, remediations)) call.out(line);
        for (const { object, verdict, remediation } of undecided)
          call.out(`Not decided: ${nameOf(object)} (${remediation}): ${verdict.because}`);
        for (const { about, because, remediation } of doubts) call.out(`Could not be looked at: ${about} (${remediation}): ${because}`);
        call.out(
          `${asked} questions in ${cluster}: ${findings.length} found, ${undecided.length} not decided, ${doubts.length} could not be looked at`,
        );
      }
      return exitCodeOf({ findings, undecided, doubts });
    } finally {
      transport.close();
    }
  },
};

/** 1: something was found; 3: nothing, but not every question was answered. */
export const exitCodeOf = ({ findings, undecided, doubts }: Omit<ScanResult, 'asked'>): number =>
  findings.length > 0 ? 1 : doubts.length + undecided.length > 0 ? UNDECIDED : 0;

const causeOf = ({ remediation }: Found, remediations: Remediation[]) => remediations.find(({ name }) => name === remediation)?.cause;

/** A finding with its cause and the way out: what kubemend would write, and what a person can do. */
function recordOf(found: Found, remediations: Remediation[]): object {
  const { remediation, object, verdict } = found;
  const {
    because,
    evidence = {},
    steps = [],
    advice = [],
  } = verdict as { because: string; evidence?: object; steps?: object[]; advice?: string[] };
  return { remediation, object, verdict: verdict.kind, because, cause: causeOf(found, remediations), evidence, wayOut: { steps, advice } };
}

function describe(found: Found, remediations: Remediation[]): string[] {
  const { object, verdict, remediation } = found;
  const cause = causeOf(found, remediations);
  const steps = verdict.kind === 'fix' ? verdict.steps : [];
  const advice = 'advice' in verdict ? (verdict.advice ?? []) : [];
  return [
    `${paint('bold', nameOf(object))}  ${paint('dim', remediation)}`,
    `  ${verdict.because}`,
    `  cause     ${cause?.issue}: ${cause?.because}`,
    ...('evidence' in verdict ? describeEvidence(verdict.evidence) : []),
    ...steps.flatMap((step, index) => describeStep(step, index + 1)),
    ...advice.map((line) => `  way out   ${line}`),
    '',
  ];
}
