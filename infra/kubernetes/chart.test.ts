import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse, parseAllDocuments } from 'yaml';
import { exporterMetrics } from '../../events/exporter/health/metrics.ts';
import { exporterStats } from '../../events/exporter/health/testdata/exporter-stats.ts';
import { subscriptions } from '../../events/exporter/reduce/rules.ts';
import { Admin, type Doc } from '../../test/control-plane/admin.ts';
import { type ControlPlane, startControlPlane } from '../../test/control-plane/control-plane.ts';
import { findHelm } from '../../test/control-plane/helm-binary.ts';
import { loadRules } from '../remediations.ts';
import { chartFiles } from './chart-files.ts';

const CHART = join(import.meta.dirname, 'chart');
const NAMESPACE = 'kubemend';
const LEAST = ['cluster=prod', 'bus.name=facts', 'bus.region=eu-west-1', 'image.repository=registry.example/kubemend'];
const WEBHOOK = ['audit.webhook.enabled=true', 'audit.webhook.tlsSecret=tls', 'audit.webhook.clientCaSecret=ca'];
const FILE = ['audit.file.enabled=true', 'tolerations[0].operator=Exists', 'nodeSelector.node-role\\.kubernetes\\.io/control-plane='];
const EVERYTHING = [
  ...['audit.webhook.clusterIP=10.96.0.99', 'audit.webhook.serviceType=NodePort', 'audit.webhook.nodePort=30943'],
  ...['audit.webhook.tokenSecret=token', 'audit.webhook.address=10.96.0.99:9443', 'networkPolicy.apiServerCidrs[0]=10.0.0.0/28'],
  ...['prometheusRule.enabled=true', 'prometheusRule.labels.release=prometheus', 'podMonitor.enabled=true', 'podAnnotations.a=b'],
  ...['spool.storageClassName=fast', 'env[0].name=AWS_PROFILE', 'env[0].value=x', 'priorityClassName=system-cluster-critical'],
  ...['image.pullSecrets[0].name=pull', 'serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn', 'image.tag=1.2.3'],
];

let plane: ControlPlane;
let admin: Admin;
let helm: string;

beforeAll(async () => {
  [plane, helm] = await Promise.all([startControlPlane(), findHelm()]);
  admin = new Admin(plane.connection('admin', 'test'));
  const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
  await admin.create('/api/v1/namespaces', { metadata: { name: NAMESPACE, labels } });
  for (const [plural, kind, spec] of [
    ['prometheusrules', 'PrometheusRule', RULE_SPEC],
    ['podmonitors', 'PodMonitor', OPEN],
  ] as const)
    await admin.applyCrd(monitoringCrd(plural, kind, spec));
}, 60_000);

afterAll(async () => {
  admin?.close();
  await plane?.stop();
}, 20_000);

/** `helm template` of a release `kubemend`, as objects. */
async function render(...values: string[]): Promise<Doc[]> {
  const args = ['template', 'kubemend', CHART, '--namespace', NAMESPACE, ...values.flatMap((value) => ['--set', value])];
  const { stdout } = await promisify(execFile)(helm, args, { env: { HOME: plane.directory } });
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Doc | null)
    .filter((object) => object !== null);
}

const pathOf = ({ apiVersion, kind, metadata: { name, namespace } }: Doc): string => {
  const plural = kind.replace(/y$/, 'ie').replace(/s?$/, 's').toLowerCase();
  return `/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}${namespace ? `/namespaces/${namespace}` : ''}/${plural}/${name}`;
};

const apply = (object: Doc, query: string) =>
  admin.transport.send({
    ...{ method: 'PATCH', path: `${pathOf(object)}?fieldManager=helm&force=true${query}`, body: object },
    contentType: 'application/apply-patch+yaml',
  });

const find = (objects: Doc[], kind: string): Doc => objects.find((object) => object.kind === kind) as Doc;

describe('the chart', () => {
  it('has the rights and the audit policy that the definitions make: npm run chart', async () => {
    for (const [path, text] of Object.entries(chartFiles(await loadRules()))) expect(await readFile(join(CHART, path), 'utf8')).toBe(text);
  });

  it.each([
    ['the least', LEAST, 7],
    ['a bus by its ARN', ['cluster=prod', 'bus.name=arn:aws:events:eu-west-1:1:event-bus/x', 'image.repository=r'], 7],
    ['the audit webhook', [...LEAST, ...WEBHOOK], 9],
    ['CloudWatch', [...LEAST, 'audit.cloudwatch.cluster=prod', 'serviceAccount.create=false', 'serviceAccount.name=given'], 6],
    ['everything', [...LEAST, ...WEBHOOK, ...EVERYTHING], 11],
    [
      'nothing that can be left out',
      [...LEAST, 'networkPolicy.enabled=false', 'podDisruptionBudget.enabled=false', 'rbac.create=false'],
      3,
    ],
  ])('is accepted by the API server, strictly and without a warning: %s', async (_, values, count) => {
    const objects = await render(...values);
    const answers = await Promise.all(objects.map((object) => apply(object, '&dryRun=All&fieldValidation=Strict')));
    const problems = answers.filter(({ status, warnings }) => status >= 300 || warnings.length > 0);
    expect(problems).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toHaveLength(count);
  });

  it('runs one Pod as nobody that writes to its spool alone, and gets audit also while it is not ready', async () => {
    const objects = await render(...LEAST, ...WEBHOOK);
    const { replicas, template, volumeClaimTemplates } = find(objects, 'StatefulSet').spec as unknown as SetSpec;
    expect(replicas).toBe(1);
    expect(volumeClaimTemplates.map(({ metadata }) => metadata.name)).toEqual(['spool']);
    const [{ securityContext, volumeMounts }, ...others] = template.spec.containers;
    expect(others).toEqual([]);
    expect(securityContext.readOnlyRootFilesystem).toBe(true);
    expect(volumeMounts.filter(({ readOnly }) => !readOnly).map(({ name }) => name)).toEqual(['spool']);
    const services = objects.filter(({ kind }) => kind === 'Service');
    expect(services.map(({ spec }) => spec?.publishNotReadyAddresses)).toEqual([true, true]);
  });

  it('may read a log that belongs to root only when told to, and the API server warns of that', async () => {
    const set = find(await render(...LEAST, ...FILE), 'StatefulSet');
    const { status, warnings } = await apply(set, '&dryRun=All&fieldValidation=Strict');
    expect({ status, warnings }).toEqual({
      status: 201,
      warnings: [expect.stringMatching(/would violate PodSecurity .*hostPath/)],
    });
  });

  it.each([
    ['no cluster', LEAST.slice(1), '/cluster'],
    ['a bus name without region', ['cluster=a', 'bus.name=b', 'image.repository=c'], '/bus/region'],
    ['a webhook that anybody may post to', [...LEAST, ...WEBHOOK.slice(0, 2)], '/audit/webhook/clientCaSecret'],
    ['two sources of audit', [...LEAST, ...WEBHOOK, 'audit.cloudwatch.cluster=a'], '/audit'],
    ['replicas', [...LEAST, 'replicas=2'], 'replicas'],
  ])('refuses %s', async (_, values, path) => {
    await expect(render(...values)).rejects.toThrow(path);
  });

  it('alerts on numbers that the exporter gives, in valid PromQL', async () => {
    const registry = exporterMetrics({ stats: exporterStats, blindness: () => [] });
    const { groups } = find(await render(...LEAST, 'prometheusRule.enabled=true'), 'PrometheusRule').spec as { groups: Group[] };
    const expressions = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
    expect(expressions).toHaveLength(7);
    for (const expr of expressions) {
      const names: string[] = [];
      parser.parse(expr).iterate({
        enter({ name, type, from, to }) {
          if (type.isError) throw new Error(`${expr} is wrong at ${from}: ${expr.slice(from)}`);
          if (name === 'Identifier') names.push(expr.slice(from, to));
        },
      });
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect([name, registry.getSingleMetric(name) !== undefined]).toEqual([name, true]);
    }
  });
});

interface SetSpec {
  replicas: number;
  volumeClaimTemplates: { metadata: { name: string } }[];
  template: { spec: { containers: [Container, ...Container[]] } };
}

interface Container {
  securityContext: { readOnlyRootFilesystem?: boolean };
  volumeMounts: { name: string; readOnly?: boolean }[];
}

interface Group {
  rules: { alert: string; expr: string }[];
}

describe('the rights of the chart, as the API server reads them', () => {
  let account: Admin;
  const secret = `/api/v1/namespaces/${NAMESPACE}/secrets`;

  beforeAll(async () => {
    const rbac = (await render(...LEAST)).filter(({ kind }) => /Account$|Role/.test(kind));
    for (const object of rbac) expect((await apply(object, '&fieldValidation=Strict')).status).toBe(201);
    const token = await admin.serviceAccountToken(NAMESPACE, 'kubemend-exporter');
    account = new Admin({ server: plane.server, ca: plane.ca, token: async () => token, userAgent: 'test' });
    await account.until('/api/v1/secrets', () => true);
  });
  afterAll(() => account.close());

  it('are list and watch of what the rules name, and nothing else', async () => {
    const review = (who: Admin) => who.create('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: NAMESPACE } });
    const nobody = await admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: 'nobody' } });
    const token = await admin.serviceAccountToken(NAMESPACE, nobody.metadata.name);
    const other = new Admin({ server: plane.server, ca: plane.ca, token: async () => token, userAgent: 'test' });
    const rulesOf = ({ status }: Doc): Grant[] => (status as { resourceRules: Grant[] }).resourceRules;
    const everybody = new Set(rulesOf(await review(other)).map((rule) => JSON.stringify(rule)));
    other.close();
    const own = rulesOf(await review(account)).filter((rule) => !everybody.has(JSON.stringify(rule)));
    const granted = own.flatMap(({ apiGroups, resources, verbs }) => resources.map((one) => `${verbs} ${apiGroups}/${one}`));
    const wanted = subscriptions(await loadRules()).resources.map(({ group, resource }) => `list,watch ${group}/${resource}`);
    expect(granted.sort()).toEqual(wanted.sort());
  });

  it('reach Secrets by list and watch, which RBAC cannot narrow to metadata, and by nothing else', async () => {
    await admin.create(secret, { metadata: { name: 'a' } });
    const codes = ['/api/v1/secrets', secret, `${secret}/a`, '/api/v1/pods', '/api/v1/configmaps'].map(
      async (path) => (await account.transport.send({ method: 'GET', path })).status,
    );
    expect(await Promise.all(codes)).toEqual([200, 200, 403, 403, 403]);
    const write = await account.transport.send({ method: 'POST', path: secret, body: { metadata: { name: 'b' } } });
    expect(write.status).toBe(403);
  });
});

interface Grant {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

describe('what is copied to the API server', () => {
  it('is the generated policy, and a kubeconfig that dials the address and checks the name of the Service', async () => {
    const { data } = find(await render(...LEAST, ...WEBHOOK, ...EVERYTHING), 'ConfigMap') as unknown as { data: Record<string, string> };
    expect(data['audit-policy.yaml']?.trim()).toBe(chartFiles(await loadRules())['files/audit-policy.yaml']?.trim());
    expect(parse(data['audit-webhook.kubeconfig'] ?? '')).toMatchObject({
      clusters: [{ cluster: { server: 'https://10.96.0.99:9443/', 'tls-server-name': 'kubemend-exporter-audit.kubemend.svc' } }],
      users: [{ user: { tokenFile: '/etc/kubernetes/kubemend/token' } }],
    });
  });
});

const OPEN = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const string = { type: 'string' };
const strings = { type: 'object', additionalProperties: string };
const object = (properties: object, required: string[]) => ({ type: 'object', properties, required });
/** The fields of an alerting rule, so that the API server finds a wrong one. */
const RULE = object({ alert: string, expr: string, for: { ...string, pattern: '^[0-9]+[smh]$' }, labels: strings, annotations: strings }, [
  'alert',
  'expr',
]);
const GROUP = object({ name: string, rules: { type: 'array', items: RULE } }, ['name', 'rules']);
const RULE_SPEC = object({ groups: { type: 'array', items: GROUP } }, ['groups']);

function monitoringCrd(plural: string, kind: string, spec: object) {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  return {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.monitoring.coreos.com` } },
    spec: {
      ...{
        group: 'monitoring.coreos.com',
        scope: 'Namespaced',
        names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
