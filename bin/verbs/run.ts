import { readFile } from 'node:fs/promises';
import { AlreadyRunningError, startLocal } from '../../infra/local/run.ts';
import { SlackPortError } from '../../infra/local/slack-server.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import { type Connection, Transport } from '../../shared/kubernetes/transport.ts';
import { readKubeconfig } from '../kubeconfig.ts';
import { clockTime, paint, paintState } from '../paint.ts';
import { slackOptions } from '../slack.ts';
import { openArtifacts, stateDirectory } from '../store.ts';
import { tellOnce } from '../tell-once.ts';
import { type Call, stateOption, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'watch a cluster and handle its failures, in shadow mode unless told otherwise',
  usage: 'run [--kubeconfig FILE] [--context NAME] [--record] [--audit-listen HOST:PORT --audit-cert FILE --audit-key FILE]',
  examples: [
    'kubemend run --kubeconfig ~/.kube/config --context staging',
    'kubemend run --audit-listen 0.0.0.0:9443 --audit-cert tls.crt --audit-key tls.key',
  ],
  options: {
    ...stateOption,
    kubeconfig: { type: 'string', help: 'the kubeconfig file (default: $KUBECONFIG or ~/.kube/config)' },
    context: { type: 'string', help: 'the context in it (default: the current one)' },
    cluster: { type: 'string', help: 'the name in facts and incidents (default: the name in the kubeconfig)' },
    record: { type: 'boolean', help: 'keep a redacted recording of what is seen and read, at most 128 MB: kubemend capture needs it' },
    'audit-listen': { type: 'string', help: "receive the API server's audit webhook here: names who writes" },
    'audit-cert': { type: 'string', help: 'TLS certificate for it, PEM' },
    'audit-key': { type: 'string', help: 'its key, PEM' },
    'slack-channel': { type: 'string', help: 'tell this Slack channel (its id, C…); docs/slack.md says how to set it up' },
    'slack-token-file': { type: 'string', help: 'file with the bot token of the Slack app' },
    'slack-port': { type: 'string', help: 'take clicks on this port (0.0.0.0, or HOST:PORT), behind something that ends TLS' },
    'slack-signing-secret-file': { type: 'string', help: 'file with the signing secret of the Slack app' },
    'slack-approvers': { type: 'string', help: 'Slack user ids that may approve, separated by commas; nobody else can' },
    'audit-token': { type: 'string', help: 'file with the bearer token the API server sends' },
  },
  json: 'NDJSON: each change of an incident as one JSON document a line',
  positionals: { least: 0, most: 0 },
  async run(call) {
    const { cluster, connection } = await readKubeconfig(text(call, 'kubeconfig') ?? call.environment.kubeconfig, text(call, 'context'));
    const name = text(call, 'cluster') ?? cluster;
    const remediations = await loadRemediations();
    const directory = stateDirectory(call);
    const auditWebhook = await webhook(call);
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
    }).catch((error: Error) => {
      if (error instanceof AlreadyRunningError || error instanceof SlackPortError) throw new UsageError(error.message);
      throw error;
    });
    const ended = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    if (unreached === undefined)
      call.err(`kubemend watches ${name} (${connection.server}); modes: kubemend mode; incidents: kubemend incidents; end: Ctrl-C`);
    if (!auditWebhook)
      call.err('Without the audit webhook nobody is named as the writer; plans need a second proof of the operator version then.');
    call.err(
      'One process imitates AWS: no IAM, no retries of EventBridge, no archive; facts are lost while it does not run, incidents are not.',
    );
    await ended;
    await run.stop();
    return 0;
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

async function webhook(call: Call) {
  const listen = text(call, 'audit-listen');
  if (!listen) return undefined;
  const [host, port] = [listen.slice(0, listen.lastIndexOf(':')), Number(listen.slice(listen.lastIndexOf(':') + 1))];
  const cert = text(call, 'audit-cert');
  const key = text(call, 'audit-key');
  const token = text(call, 'audit-token');
  if (!host || !Number.isInteger(port) || !cert || !key)
    throw new UsageError('--audit-listen needs HOST:PORT, --audit-cert and --audit-key');
  const read = (path: string): Promise<string> =>
    readFile(path, 'utf8').catch((error: Error) => {
      throw new UsageError(`${path} cannot be read: ${error.message}`);
    });
  return { host, port, cert: await read(cert), key: await read(key), ...(token && { token: (await read(token)).trim() }) };
}
