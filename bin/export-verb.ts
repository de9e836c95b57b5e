import type { Rule } from '../events/exporter/reduce/rules.ts';
import { startStandalone } from '../infra/exporter/run.ts';
import type { Connection } from '../shared/kubernetes/transport.ts';
import { addressOf, auditListener, auditListenerOptions, auditSources } from './audit-options.ts';
import { DEFECT, ending } from './ending.ts';
import { exportSink } from './export-sink.ts';
import { inCluster } from './in-cluster.ts';
import { clockTime } from './paint.ts';
import { certificateWatch } from './renew-certificate.ts';
import { type Call, text, UsageError, type Verb } from './verb.ts';

/** Certificates are replaced long before they end. */
const RENEW = 60_000;

const AUDIT_SILENCE = 300;
/** MiB. */
const SPOOL_CAP = 512;

/** The verb `export`; `rules` are asked for when it runs: an image brings its own, fixed at build time. */
export const exportVerb = (rules: () => Promise<Rule[]>): Verb => ({
  summary: 'run the exporter alone: watch and audit in, facts out to EventBridge',
  usage:
    'export (--bus NAME|ARN [--region NAME] | --print) [--cluster ID] [--data DIR] [--audit-listen HOST:PORT --audit-cert FILE --audit-key FILE (--audit-token FILE | --audit-client-ca FILE)]',
  examples: [
    'kubemend export --kubeconfig ~/.kube/config --print',
    'kubemend export --cluster prod --bus kubemend-prod --region eu-west-1 --data /var/lib/kubemend --metrics-port 9090 --audit-listen 9443 --audit-cert tls.crt --audit-key tls.key --audit-client-ca ca.crt',
  ],
  options: {
    kubeconfig: { type: 'string', help: "the kubeconfig file (default: the Pod's ServiceAccount, else $KUBECONFIG or ~/.kube/config)" },
    context: { type: 'string', help: 'the context in it (default: the current one)' },
    cluster: { type: 'string', help: 'the name in facts (default: the name in the kubeconfig)' },
    bus: { type: 'string', help: 'name or ARN of the EventBridge bus' },
    region: { type: 'string', help: 'region of the bus, when it is given by name' },
    print: { type: 'boolean', help: 'print the facts instead, one JSON line each' },
    data: { type: 'string', help: 'folder of spool and checkpoints, for one exporter: without it a restart forgets everything' },
    'spool-cap': { type: 'string', help: `most mebibytes of the spool (default: ${SPOOL_CAP})` },
    ...auditListenerOptions,
    'audit-file': { type: 'string', help: "the API server's audit log, where the exporter runs beside it" },
    'audit-cloudwatch': { type: 'string', help: 'name of an EKS cluster whose audit log is in CloudWatch Logs' },
    'cloudwatch-region': { type: 'string', help: 'region of that log (default: --region)' },
    'audit-silence': { type: 'string', help: `seconds without an audit event that count as blind (default: ${AUDIT_SILENCE})` },
    'metrics-port': { type: 'string', help: '[HOST:]PORT for /metrics, /healthz, /readyz and /status' },
  },
  json: 'changes nothing: what --print prints is NDJSON, one fact a line',
  positionals: { least: 0, most: 0 },
  async run(call) {
    const end = ending();
    const sink = await exportSink(call);
    const auditWebhook = await auditListener(call);
    const { cluster, connection } = await reach(call);
    const metrics = text(call, 'metrics-port');
    const directory = text(call, 'data');
    if (!directory) call.err('Without --data a restart forgets what was not sent, and what happened meanwhile.');
    const exporter = await startStandalone({
      ...{ cluster, connection, sink, rules: await rules(), now: Date.now, random: Math.random },
      ...{ sources: await auditSources(call), ...(auditWebhook && { auditWebhook }), ...(directory && { directory }) },
      spoolCap: 2 ** 20 * wholeNumber(call, 'spool-cap', SPOOL_CAP),
      auditSilence: 1_000 * wholeNumber(call, 'audit-silence', AUDIT_SILENCE),
      ...(metrics && { probes: addressOf('metrics-port', metrics) }),
      onProblem: (message) => call.err(`${clockTime(Date.now())}  ${message}`),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.syscall !== 'listen') throw error;
      throw new UsageError(`The exporter cannot listen: ${error.message}. Choose another port`);
    });
    await using parts = new AsyncDisposableStack();
    parts.defer(() => exporter.stop());
    const { audit, probes } = exporter.ports;
    const listens = [audit && `audit webhook on port ${audit}`, probes && `metrics on port ${probes}`].filter(Boolean);
    call.err(`The exporter watches ${cluster} (${connection.server})${listens.map((one) => `; ${one}`).join('')}. End: Ctrl-C`);
    const renew = certificateWatch(call, exporter.renewCertificate);
    await renew();
    const renewing = setInterval(renew, RENEW);
    parts.defer(() => clearInterval(renewing));
    const { unexpected } = await end;
    return unexpected ? DEFECT : 0;
  },
});

async function reach(call: Call): Promise<{ cluster: string; connection: Connection }> {
  const { inClusterServer, serviceAccount, kubeconfig } = call.environment;
  const named = text(call, 'cluster');
  const chosen = text(call, 'kubeconfig');
  if (chosen === undefined && inClusterServer !== undefined) {
    if (named === undefined) throw new UsageError('Facts name their cluster: give --cluster ID');
    return { cluster: named, connection: inCluster(inClusterServer, serviceAccount) };
  }
  const { readKubeconfig } = await import('./kubeconfig.ts');
  const { cluster, connection } = await readKubeconfig(chosen ?? kubeconfig, text(call, 'context'));
  return { cluster: named ?? cluster, connection: { ...connection, userAgent: 'kubemend (exporter)' } };
}

function wholeNumber(call: Call, name: string, otherwise: number): number {
  const value = text(call, name);
  const number = Number(value ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new UsageError(`--${name} ${value} is no whole number above 0`);
  return number;
}
