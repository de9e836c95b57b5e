import { startLocal } from '../../infra/local/run.ts';
import { AlreadyRunningError } from '../../infra/local/runner-lease.ts';
import { SlackPortError } from '../../infra/local/slack-server.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { type Duration, milliseconds } from '../../shared/duration.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import { auditListener, auditListenerOptions } from '../audit-options.ts';
import { DEFECT, ending } from '../ending.ts';
import { readKubeconfig } from '../kubeconfig.ts';
import { clockTime, paint, paintState } from '../paint.ts';
import { slackOptions } from '../slack.ts';
import { openArtifacts, stateDirectory } from '../store.ts';
import { tellOnce } from '../tell-once.ts';
import { type Call, stateOption, text, UsageError, type Verb } from '../verb.ts';

const SHORTEST_RETENTION_MS = milliseconds('7d');

export const verb: Verb = {
  summary: 'watch a cluster and handle its failures, in shadow mode unless told otherwise',
  usage:
    'run [--kubeconfig FILE] [--context NAME] [--retention 90d] [--record] [--audit-listen HOST:PORT --audit-cert FILE --audit-key FILE (--audit-token FILE | --audit-client-ca FILE)]',
  examples: [
    'kubemend run --kubeconfig ~/.kube/config --context staging',
    'kubemend run --audit-listen 0.0.0.0:9443 --audit-cert tls.crt --audit-key tls.key --audit-token token',
  ],
  options: {
    ...stateOption,
    kubeconfig: { type: 'string', help: 'the kubeconfig file (default: $KUBECONFIG or ~/.kube/config)' },
    context: { type: 'string', help: 'the context in it (default: the current one)' },
    cluster: { type: 'string', help: 'the name in facts and incidents (default: the name in the kubeconfig)' },
    retention: { type: 'string', help: 'how long ended incidents are kept, at least 7d (default: 90d)' },
    record: { type: 'boolean', help: 'keep a redacted recording of what is seen and read, at most 128 MB: kubemend capture needs it' },
    ...auditListenerOptions,
    'slack-channel': { type: 'string', help: 'tell this Slack channel (its id, C…); docs/slack.md says how to set it up' },
    'slack-token-file': { type: 'string', help: 'file with the bot token of the Slack app' },
    'slack-port': { type: 'string', help: 'take clicks on this port (0.0.0.0, or HOST:PORT), behind something that ends TLS' },
    'slack-signing-secret-file': { type: 'string', help: 'file with the signing secret of the Slack app' },
    'slack-approvers': { type: 'string', help: 'Slack user ids that may approve, separated by commas; nobody else can' },
  },
  json: 'NDJSON: each change of an incident as one JSON document a line',
  positionals: { least: 0, most: 0 },
  async run(call) {
    const end = ending();
    const retention = retentionOf(call);
    const { cluster, connection } = await readKubeconfig(text(call, 'kubeconfig') ?? call.environment.kubeconfig, text(call, 'context'));
    const name = text(call, 'cluster') ?? cluster;
    const remediations = await loadRemediations();
    const directory = stateDirectory(call);
    const auditWebhook = await auditListener(call);
    const slack = await slackOptions(call);
    const unreached = await noAnswer(connection);
    if (unreached !== undefined)
      call.err(`kubemend reaches no cluster: nothing answers at ${connection.server} (${unreached}). It goes on trying; end: Ctrl-C`);
    const run = await startLocal({
      ...{
        cluster: name,
        directory,
        remediations,
        artifacts: openArtifacts(directory),
        ...(auditWebhook && { auditWebhook }),
        ...(slack && { slack }),
      },
      record: call.values.record === true,
      retention,
      // One credential: the user agent names the function in the audit log, and our field manager names our writes.
      connect: (identity) => ({ ...connection, userAgent: `kubemend (${identity})` }),
      ownUsers: [],
      onProblem: tellOnce((message) => call.err(`${clockTime(Date.now())}  ${message}`), 60_000, Date.now),
      onChange(change) {
        if (call.json) return call.out(JSON.stringify(change));
        const { at, state, object, because, incident, remediation } = change;
        call.out(`${clockTime(Date.parse(at))}  ${paintState(state, 18)} ${nameOf(object)}  ${paint('dim', `${remediation} ${incident}`)}`);
        call.out(`          ${because}`);
      },
    }).catch((error: NodeJS.ErrnoException) => {
      if (error instanceof AlreadyRunningError || error instanceof SlackPortError) throw new UsageError(error.message);
      if (error.syscall === 'listen')
        throw new UsageError(`The audit webhook cannot listen: ${error.message}. Choose another address with --audit-listen`);
      throw error;
    });
    if (unreached === undefined)
      call.err(`kubemend watches ${name} (${connection.server}); modes: kubemend mode; incidents: kubemend incidents; end: Ctrl-C`);
    if (!auditWebhook)
      call.err('Without the audit webhook nobody is named as the writer; plans need a second proof of the operator version then.');
    call.err(
      'One process imitates AWS: no IAM, no retries of EventBridge, no archive; facts are lost while it does not run, incidents are not.',
    );
    const reason = await Promise.race([end, run.lost]);
    await run.stop();
    if (typeof reason === 'string') {
      call.err(`${reason}. It did nothing since then, and ends.`);
      return 1;
    }
    return reason.unexpected ? DEFECT : 0;
  },
};

/** Why no API server answers there; undefined: one does, whatever it says. */
async function noAnswer(connection: Connection): Promise<string | undefined> {
  const transport = new Transport(connection);
  try {
    await transport.send({ method: 'GET', path: '/version', signal: AbortSignal.timeout(5_000) });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    transport.close();
  }
}

/** How long ended incidents are kept, milliseconds. Throws UsageError. */
function retentionOf(call: Call): number {
  const given = text(call, 'retention') ?? '90d';
  let retention: number;
  try {
    retention = milliseconds(given as Duration);
  } catch {
    throw new UsageError(`--retention must be a duration such as 90d, got ${given}`);
  }
  // A rejection holds for a day, and a fix can be undone as long as its incident is kept.
  if (retention < SHORTEST_RETENTION_MS) throw new UsageError(`--retention must be at least 7d, got ${given}`);
  return retention;
}
