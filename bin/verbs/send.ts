import { readFile } from 'node:fs/promises';
import { readEvent } from '../../infra/lambda/read-event.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { systemClock } from '../../shared/clock.ts';
import { handIn } from '../../shared/hand-in.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import type { Fact, Remediation } from '../../shared/remediation.ts';
import { asEvents } from '../events.ts';
import { clusterOptions, lookOnce } from '../look.ts';
import { localStoreIfAny, stateDirectory, watchedCluster } from '../store.ts';
import { type Call, stateOption, text, UNDECIDED, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'give kubemend a fact from a file: to the one that runs here, or for one look at the live cluster that writes nothing',
  usage: 'send FILE [--act | --report] [--cluster NAME] [--kubeconfig FILE] [--context NAME]',
  examples: ['kubemend send events/samples/strimzi-stale-crds.json --report', 'kubemend send fact.json --act'],
  options: {
    ...stateOption,
    ...clusterOptions,
    cluster: { type: 'string', help: 'as if the fact were of this cluster (the name that kubemend run was given, or the kubeconfig has)' },
    act: { type: 'boolean', help: 'hand it to the running kubemend, also if it was replayed from an archive; the mode decides' },
    report: { type: 'boolean', help: 'only look and report, even if kubemend runs' },
  },
  positionals: { least: 1, most: 1 },
  async run(call) {
    const [file = ''] = call.positionals;
    if (call.values.act && call.values.report) throw new UsageError('--act and --report exclude each other');
    const content = await readFile(file, 'utf8').catch((error: Error) => {
      throw new UsageError(`${file} cannot be read: ${error.message}`);
    });
    const remediations = await loadRemediations();
    const results: Result[] = [];
    const cluster = text(call, 'cluster');
    const all = asEvents(file, content).flatMap((event) => {
      const { matched, because } = match(event, remediations);
      if (matched.length === 0) call.err(because);
      return matched.map((one) => (cluster === undefined ? one : { ...one, fact: { ...one.fact, cluster } }));
    });
    await refuseOthers(call, all);
    for (const one of all) results.push(await give(call, one));
    if (call.json) call.out(JSON.stringify({ results }));
    if (results.some(({ decided }) => !decided)) return UNDECIDED;
    return results.length > 0 ? 0 : 1;
  },
};

/** What came of one fact for one remediation. */
interface Result {
  remediation: string;
  handedOver: boolean;
  /** False: the cluster did not answer, or time has to pass for an answer. */
  decided: boolean;
}

interface Matched {
  remediation: Remediation;
  fact: Fact;
  replay?: string | undefined;
}

function match(event: object, remediations: Remediation[]): { matched: Matched[]; because: string } {
  const readings = remediations.map((remediation) => ({ remediation, reading: readEvent(event, remediation.when) }));
  const matched = readings.flatMap(({ remediation, reading }) => ('because' in reading ? [] : [{ remediation, ...reading }]));
  const reasons = [...new Set(readings.flatMap(({ reading }) => ('because' in reading ? [reading.because] : [])))];
  return { matched, because: `No rule matches it. ${reasons.join('; ')}` };
}

/** Throws UsageError where a fact would be handed to a kubemend that watches another cluster, before the first is. */
async function refuseOthers(call: Call, all: Matched[]): Promise<void> {
  const store = call.values.report ? undefined : localStoreIfAny(call);
  if (!store || !(await store.runs())) return;
  const watched = await watchedCluster(store.state);
  const other = all.find(({ fact, replay }) => fact.cluster !== watched && (call.values.act || replay === undefined));
  if (watched !== undefined && other)
    throw new UsageError(
      `The fact is of the cluster ${other.fact.cluster}; the kubemend that runs here watches ${watched}. To hand it over as one of that: --cluster ${watched}`,
    );
}

/** Hands a fact to the kubemend that runs here, or looks once. What was replayed from an archive is old: it is acted on only if that was asked for. */
async function give(call: Call, { remediation, fact, replay }: Matched): Promise<Result> {
  const store = localStoreIfAny(call);
  const runs = store !== undefined && (await store.runs());
  const about = `${nameOf(fact.object)} (${remediation.name})`;
  if (call.values.act && !runs)
    throw new UsageError(`No kubemend runs on ${stateDirectory(call)}: start one with kubemend run, or leave --act out`);
  if (!call.values.report && runs && (call.values.act || replay === undefined)) {
    const { state, schedule } = store;
    const now = systemClock.now();
    const incident = await handIn({ state, remediation, fact, now });
    if (incident) await schedule.put({ incident: incident.id, token: 'wake', at: now });
    if (!call.json) call.out(incident ? `${about}: handed over. See: kubemend explain ${incident.id}` : `${about}: known already`);
    return { remediation: remediation.name, handedOver: true, decided: true, ...(incident && { incident: incident.id }) };
  }
  if (replay !== undefined && !call.json) call.out(`It comes from the archive replay "${replay}": report only (--act hands it over)`);
  return { remediation: remediation.name, handedOver: false, ...(await lookOnce(call, remediation, fact)) };
}
