import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { remediationNames } from '../../infra/remediations.ts';
import { forPeople } from '../../shared/duration.ts';
import { hasEnded, type Incident } from '../../shared/incident.ts';
import { entry, summary } from '../../shared/public-record.ts';
import { isZnodeStep } from '../../shared/znode-step.ts';
import { readAuditLog, writesBy } from '../../test/control-plane/audit-log.ts';
import { scenarioOf } from '../../test/scenarios/sample/from-file.ts';
import type { AuditLine } from '../../test/scenarios/scenario.ts';
import { describeFact, describePlan } from '../describe.ts';
import { clockTime, paint, paintState } from '../paint.ts';
import { COMMAND } from '../run-verb.ts';
import { openSandbox, type Sandbox } from '../sandbox.ts';
import { scenarioNames } from '../scenario-names.ts';
import { ask } from '../terminal.ts';
import { type Call, text, UsageError, type Verb } from '../verb.ts';

const ROOT = join(import.meta.dirname, '../..');

export const verb: Verb = {
  summary: 'watch a failure be found, planned, fixed and verified on a disposable control plane; no AWS, no cluster',
  usage: 'sandbox [--scenario NAME | --sample REMEDIATION] [--yes] [--mode approve|auto|shadow] [--keep] [--record] [--json]',
  examples: ['npm start', 'npm start -- --yes', 'npm start -- --scenario strimzi-stale-crds --yes --json', 'npm start -- --mode shadow'],
  options: {
    scenario: { type: 'string', help: 'which failure (default: strimzi-stale-crds)' },
    sample: { type: 'string', help: 'a remediation instead: plays its sample.yaml, as in strimzi/unpause-kafkas' },
    yes: { type: 'boolean', short: 'y', help: 'approve the plan without asking' },
    mode: { type: 'string', help: 'approve (default), auto, or shadow: plan and write nothing' },
    record: { type: 'boolean', help: 'keep a redacted recording: with --keep, kubemend capture can be tried' },
    keep: { type: 'boolean', help: 'leave the cluster running afterwards, to look around with kubectl' },
    within: { type: 'string', help: 'give up after so many seconds (default: 600)' },
  },
  json: 'the incident as one JSON document at the end; what happens is told on standard error',
  positionals: { least: 0, most: 0 },
  async run(call) {
    const name = text(call, 'scenario') ?? 'strimzi-stale-crds';
    const mode = text(call, 'mode') ?? 'approve';
    const sample = text(call, 'sample');
    const file = sample && join(ROOT, 'functions', sample, 'sample.yaml');
    if (sample && file && (!remediationNames().includes(sample) || !existsSync(file)))
      throw new UsageError(`There is no functions/${sample}/sample.yaml; begin with: kubemend new functions/${sample}`);
    if (!scenarioNames().includes(name)) throw new UsageError(`There is no scenario "${name}"; there are: ${scenarioNames().join(', ')}`);
    if (!['approve', 'auto', 'shadow'].includes(mode)) throw new UsageError(`"${mode}" is no mode: approve, auto or shadow`);
    const say = call.json ? call.err : call.out;
    const sandbox = await openSandbox({
      scenario: sample && file ? await scenarioOf(file, sample) : name,
      mode,
      record: call.values.record === true,
      progress: (line) => say(paint('dim', line)),
      onProblem: (line) => call.err(line),
    });
    try {
      const incident = await follow(sandbox, call, mode, say);
      if (!incident) {
        call.err('Nothing ended within the time given. Run again with --within 1200');
        return 1;
      }
      await conclude(sandbox, incident, say);
      if (call.values.keep) await keep(sandbox, call, incident.id, say);
      if (call.json) call.out(JSON.stringify({ ...summary(incident), plan: incident.plan, history: incident.history.map(entry) }));
      return ['verified', 'resolved', 'shadowed'].includes(incident.state) ? 0 : 1;
    } finally {
      await sandbox.close();
    }
  },
};

/** Prints what happens as it is told, asks for approval, and resolves to the first incident that ends. */
async function follow(sandbox: Sandbox, call: Call, mode: string, say: (line: string) => void): Promise<Incident | undefined> {
  const limit = Number(text(call, 'within') ?? 600) * 1_000;
  for await (const change of sandbox.changes(limit)) {
    const incident = await sandbox.state.load(change.incident);
    if (!incident) continue;
    say(`${clockTime(Date.parse(change.at))}  ${paintState(change.state, 18)} ${change.because}`);
    if (change.state === 'planned') {
      say('');
      for (const line of [...describeFact(incident.fact), '', ...(incident.plan ? describePlan(incident.plan) : [])]) say(`  ${line}`);
      say('');
    }
    if (change.state === 'awaiting-approval' && incident.state === 'awaiting-approval') await decide(sandbox, call, incident);
    if (hasEnded(change.state) || (mode === 'shadow' && change.state === 'shadowed') || change.state === 'reported') return incident;
  }
  return undefined;
}

async function decide(sandbox: Sandbox, call: Call, { id, plan }: Incident): Promise<void> {
  const by = call.environment.user;
  if (call.values.yes) return sandbox.answer(id, { kind: 'approve', hash: plan?.hash ?? '', by });
  if (!call.environment.interactive) {
    throw new UsageError('The plan waits for approval, and there is no terminal to ask in. Run: npm start -- --yes');
  }
  const reply = await ask('Apply this plan? [y/N] ');
  const yes = /^y(es)?$/i.test(reply.trim());
  await sandbox.answer(id, yes ? { kind: 'approve', hash: plan?.hash ?? '', by } : { kind: 'reject', by, because: 'not in this sandbox' });
}

/** The truth about it, from the API server's own audit log. */
async function conclude(sandbox: Sandbox, incident: Incident, say: (line: string) => void): Promise<void> {
  const log = await readAuditLog(sandbox.auditLog);
  const symptoms = log.filter(sandbox.scenario.isSymptom);
  const applied = incident.verification?.appliedAt;
  const end = incident.updatedAt;
  const own = writesBy(log, 'kubemend:');
  say('');
  say(paint('bold', `Incident ${incident.id} ended ${incident.state}: ${incident.because}`));
  const before = symptoms.filter((line) => timeOf(line) <= (applied ?? end));
  say(`  rate before    ${rate(before, timeOf(before[0]), applied ?? end)}`);
  const clearSince = incident.verification?.clearSince;
  if (clearSince) {
    const after = symptoms.filter((line) => timeOf(line) > clearSince);
    say(`  rate after     ${rate(after, clearSince, end)}`);
  }
  const delay = incident.detectedAt - timeOf(symptoms[0]);
  say(`  detected       ${forPeople(Math.abs(delay))} ${delay < 0 ? 'before' : 'after'} the first symptom`);
  if (applied) say(`  written        ${forPeople(applied - incident.detectedAt)} after detection (approval included)`);
  if (incident.state === 'verified') say(`  verified       ${forPeople(end - incident.detectedAt)} after detection`);
  // What is written through a port-forward is no write in an audit log.
  const steps = (incident.execution?.written ?? []).map(({ index }) => incident.plan?.steps[index]);
  const nodes = steps.flatMap((step) => (step && isZnodeStep(step) ? [`${step.kind} ${step.path}`] : []));
  const wrote = [...own.map(({ verb, requestURI }) => `${verb} ${requestURI.split('?')[0]}`), ...nodes];
  say(`  kubemend wrote ${wrote.length} time${wrote.length === 1 ? '' : 's'}: ${wrote.join(', ') || 'nothing'}`);
}

const timeOf = (line: AuditLine | undefined): number => Date.parse(line?.stageTimestamp ?? '');

function rate(lines: AuditLine[], from: number, to: number): string {
  const seconds = Math.max(1, (to - from) / 1_000);
  return `${Math.round((lines.length * 60) / seconds)} a minute (${lines.length} in ${forPeople(seconds * 1_000)})`;
}

async function keep(sandbox: Sandbox, { values }: Call, id: string, say: (line: string) => void): Promise<void> {
  say('');
  say(`The cluster stays until Ctrl-C. Look around: kubectl --kubeconfig ${await sandbox.writeKubeconfig()} get kafkas -A`);
  say(`kubemend goes on, too; its state is in ${sandbox.directory}: ${COMMAND} explain ${id} --state ${sandbox.directory}`);
  if (values.record) say(`The recording: ${COMMAND} capture ${id} --state ${sandbox.directory} --to ./capture`);
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
}
