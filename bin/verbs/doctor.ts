import { subscriptions } from '../../events/exporter/reduce/rules.ts';
import { identityOf, readOnly } from '../../infra/kubernetes/rbac.ts';
import { loadRemediations, loadRules } from '../../infra/remediations.ts';
import { type AskedStatus, askExporter } from '../doctor/ask-exporter.ts';
import { clockFinding } from '../doctor/clock-check.ts';
import { clusterFindings, type Wanted } from '../doctor/cluster-checks.ts';
import { exporterFindings } from '../doctor/exporter-checks.ts';
import { type Finding, wrong } from '../doctor/finding.ts';
import { standingFindings } from '../doctor/standing-check.ts';
import { regionOf } from '../export-sink.ts';
import { paint } from '../paint.ts';
import { type Call, stateOption, storeOptions, text, UNDECIDED, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'check exporter, audit, watch, clocks, rights, spool, bus, and what holds writes back; each problem comes with its fix',
  usage:
    'doctor [--url URL] [--kubeconfig FILE | --context NAME] [--shadow] [--namespace NS] [--as-functions] [--service-account NAMESPACE/NAME] [--bus NAME --region NAME] [--state DIR | --aws-table NAME]',
  examples: [
    'kubemend doctor --url http://127.0.0.1:9090',
    'kubemend doctor --context prod --as-functions --service-account kubemend/kubemend-exporter --url http://127.0.0.1:9090',
  ],
  options: {
    url: { type: 'string', help: "the exporter's --metrics-port, as by kubectl port-forward" },
    kubeconfig: { type: 'string', help: 'also ask this cluster (default without --url: $KUBECONFIG or ~/.kube/config)' },
    context: { type: 'string', help: 'the context in the kubeconfig' },
    shadow: { type: 'boolean', help: 'ask about the rights to read only' },
    namespace: {
      type: 'string',
      multiple: true,
      help: 'ask about the rights in this namespace, as kubemend rights --namespace grants them; repeatable',
    },
    'as-functions': { type: 'boolean', help: "ask as each function's own user, by impersonation (default: as the kubeconfig's user)" },
    'service-account': { type: 'string', help: "ask about the exporter's rights as NAMESPACE/NAME, by impersonation" },
    bus: { type: 'string', help: 'also look for this EventBridge bus' },
    region: { type: 'string', help: 'region of the bus, or of the table' },
    ...stateOption,
    'aws-table': storeOptions['aws-table'],
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const findings = [...(await exporter(call)), ...(await cluster(call)), ...(await bus(call)), ...(await standingFindings(call))];
    if (call.json) call.out(JSON.stringify({ fine: exitCodeOf(findings) === 0, findings }));
    else for (const finding of findings) for (const line of describe(finding)) call.out(line);
    return exitCodeOf(findings);
  },
};

/** 1: a check found a problem; 3: none did, but a check got no answer. */
function exitCodeOf(findings: Finding[]): number {
  if (findings.some(({ result }) => result === 'wrong')) return 1;
  return findings.some(({ result }) => result === 'unknown') ? UNDECIDED : 0;
}

async function exporter(call: Call): Promise<Finding[]> {
  const url = text(call, 'url');
  if (url === undefined) return [];
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`--url ${url} is no address such as http://127.0.0.1:9090`);
  const asked = Date.now();
  let status: AskedStatus;
  try {
    status = await askExporter(url);
  } catch (error) {
    return [
      wrong(
        'exporter',
        `No exporter answers at ${url}: ${(error as Error).message}`,
        'start it with --metrics-port, and port-forward to that port',
      ),
    ];
  }
  return [...exporterFindings(status), clockFinding('the exporter', status.now, asked, Date.now(), 0)];
}

async function cluster(call: Call): Promise<Finding[]> {
  const [kubeconfig, context] = [text(call, 'kubeconfig'), text(call, 'context')];
  const asked = ['kubeconfig', 'context', 'shadow', 'namespace', 'as-functions', 'service-account'].some(
    (name) => call.values[name] !== undefined,
  );
  if (!asked && text(call, 'url') !== undefined) return [];
  const { readKubeconfig } = await import('../kubeconfig.ts');
  const { connection } = await readKubeconfig(kubeconfig ?? call.environment.kubeconfig, context);
  return clusterFindings({ ...connection, userAgent: 'kubemend (doctor)' }, await wantedRights(call), Date.now);
}

async function wantedRights(call: Call): Promise<Wanted[]> {
  const account = text(call, 'service-account');
  const [namespace, name, ...rest] = account?.split('/') ?? [];
  if (account !== undefined && (!namespace || !name || rest.length > 0)) throw new UsageError(`"${account}" is not NAMESPACE/NAME`);
  const asFunctions = call.values['as-functions'] === true;
  const exporterUser = account ? `system:serviceaccount:${namespace}:${name}` : asFunctions ? identityOf('exporter') : undefined;
  const { resources } = subscriptions(await loadRules());
  const watching = resources.map(({ group, resource }) => ({ group, resources: [resource], verbs: ['list' as const, 'watch' as const] }));
  const remediations = (await loadRemediations()).map((remediation) => ({
    ...(call.values.shadow ? readOnly(remediation) : remediation),
    namespaces: [call.values.namespace ?? []].flat().map(String),
    ...(asFunctions && { as: identityOf(remediation.name) }),
  }));
  return [{ name: 'exporter', rights: watching, ...(exporterUser && { as: exporterUser }) }, ...remediations];
}

async function bus(call: Call): Promise<Finding[]> {
  const name = text(call, 'bus');
  if (name === undefined) return [];
  return [await (await import('../doctor/bus-check.ts')).busFinding(name, regionOf(call, name))];
}

const SIGNS = { fine: ['green', '✓'], wrong: ['red', '✗'], unknown: ['yellow', '?'] } as const;

function describe({ check, result, says, fix }: Finding): string[] {
  const [colour, sign] = SIGNS[result];
  return [`${paint(colour, sign)} ${check.padEnd(24)} ${says}`, ...(fix ? [`${' '.repeat(27)}→ ${fix}`] : [])];
}
