import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { verb } from '../bin/verbs/rights.ts';
import { impersonationRbac } from '../infra/kubernetes/impersonation.ts';
import { loadRemediations } from '../infra/remediations.ts';
import { type Called, callVerb } from './call-verb.ts';

interface Printed {
  kind: string;
  metadata: { name: string; namespace?: string; labels: Record<string, string> };
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  spec?: { matchConditions?: { expression: string }[]; validations?: { message: string }[] };
}

const call = (...args: string[]): Promise<Called> => callVerb(verb, '/nonexistent', ...args);
async function printed(...args: string[]): Promise<{ objects: Printed[]; err: string }> {
  const { code, out, err } = await call(...args, '--json');
  expect(code).toBe(0);
  return { ...(JSON.parse(out) as { objects: Printed[] }), err };
}
const namesOf = (objects: Printed[], kind: string): string[] =>
  objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
const ROOT = join(import.meta.dirname, '..');
const PAGES = ['README.md', 'SECURITY.md', 'docs/aws.md', 'docs/exporter.md', 'docs/slack.md', 'docs/threat-model.md'];
const READING = ['get', 'list', 'watch'];

describe('kubemend rights', () => {
  it('prints a policy before the roles, for each remediation that writes', async () => {
    const { objects } = await printed();
    const [policies, roles] = ['ValidatingAdmissionPolicy', 'ClusterRole'].map((kind) => namesOf(objects, kind));
    expect(policies).toEqual([
      'kubemend.kubeblocks.unstick-opsrequest',
      'kubemend.kubero.slow-release-storm',
      'kubemend.strimzi.delete-stale-migration-znode',
      'kubemend.strimzi.resume-ca-roll',
      'kubemend.strimzi.upgrade-stale-crds',
    ]);
    expect(namesOf(objects, 'ValidatingAdmissionPolicyBinding')).toEqual(policies);
    expect(roles).toHaveLength(6);
    expect(objects.findLastIndex(({ kind }) => kind.startsWith('Validating'))).toBeLessThan(
      objects.findIndex(({ kind }) => kind === 'ClusterRole'),
    );
  });

  it('prints only what --only names, so that approving one remediation grants no other its rights', async () => {
    const { objects } = await printed('--only', 'strimzi/upgrade-stale-crds');
    expect(new Set(objects.map(({ metadata }) => metadata.name))).toEqual(
      new Set(['kubemend.strimzi.upgrade-stale-crds', 'kubemend:strimzi:upgrade-stale-crds']),
    );
    const exporter = await printed('--only', 'exporter');
    expect(exporter.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'ClusterRole kubemend:exporter',
      'ClusterRoleBinding kubemend:exporter',
    ]);
    await expect(call('--only', 'strimzi/none')).rejects.toThrow(/unknown name; use one of kubeblocks/);
  });

  it('prints only rights to read for shadow mode, and none on Secrets, and says how to grant those', async () => {
    const { objects, err } = await printed('--shadow');
    const rules = objects.filter(({ metadata }) => metadata.name !== 'kubemend:exporter').flatMap(({ rules = [] }) => rules);
    expect(rules.flatMap(({ verbs }) => verbs).filter((one) => !READING.includes(one))).toEqual([]);
    expect(rules.filter(({ apiGroups, resources }) => apiGroups.includes('') && resources.includes('secrets'))).toEqual([]);
    expect(namesOf(objects, 'ValidatingAdmissionPolicy')).toEqual([]);
    expect(err).toMatch(/Not granted to strimzi\/resume-ca-roll: get on secrets\. To grant it, add --pin kafka-secrets=NAMESPACE\/OBJECT/);
    expect(err).toMatch(/Not granted to kubero\/slow-release-storm: list on secrets\. To grant it, add --namespace NAMESPACE/);
  });

  it('holds a stream to its policy in shadow mode, too', async () => {
    const { objects } = await printed('--shadow', '--pin', 'zookeeper-exec-pods=kafka/my-cluster-zookeeper-0');
    expect(namesOf(objects, 'ValidatingAdmissionPolicy')).toEqual(['kubemend.strimzi.delete-stale-migration-znode']);
    const allowed = JSON.stringify(objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy'));
    expect(allowed).toMatch(/get.*-s/);
    expect(allowed).not.toMatch(/delete -v|create \/migration/);
    const { objects: writing } = await printed('--pin', 'zookeeper-exec-pods=kafka/my-cluster-zookeeper-0');
    expect(JSON.stringify(writing.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy'))).toMatch(/create \/migration/);
  });

  it('prints Roles for the namespaces that were named, and keeps cluster-wide only what has no namespace or is read in all', async () => {
    const { objects } = await printed('--only', 'kubero/slow-release-storm', '--namespace', 'kubero', '--namespace', 'shop');
    const within = objects.filter(({ kind }) => kind === 'Role');
    expect(within.map(({ metadata }) => metadata.namespace)).toEqual(['kubero', 'shop']);
    expect(within[0]?.rules?.map(({ resources, verbs }) => [resources, verbs])).toEqual([
      [['kuberopipelines'], ['get', 'patch']],
      [['secrets'], ['list']],
      [['events'], ['create']],
    ]);
    const [everywhere] = objects.filter(({ kind }) => kind === 'ClusterRole');
    expect(everywhere?.rules?.map(({ resources, verbs, resourceNames }) => [resources, verbs, resourceNames])).toEqual([
      [['deployments'], ['list'], undefined],
      [['customresourcedefinitions'], ['get'], ['kuberopipelines.application.kubero.dev']],
    ]);
    await expect(call('--namespace', 'No/Such')).rejects.toThrow(/not a valid namespace name/);
  });

  it.each(['日本', '@', `${'a'.repeat(95)}@@@@@@b`, `kubemend/${'a'.repeat(240)}`])(
    'gives the policy of a shared identity a name that the API server takes: %s',
    async (subject) => {
      const { objects } = await printed('--subject', subject);
      const [name = ''] = namesOf(objects, 'ValidatingAdmissionPolicy');
      expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      expect(name.length).toBeLessThan(254);
    },
  );

  it.each([
    ['--subject', 'Kubemend/x'],
    ['--subject', 'kubemend/X'],
    ['--subject', 'a\nb'],
    ['--subject', 'a\u2028b'],
    ['--subject', 'a'.repeat(1_001)],
    ['--pin', 'kafka-pods=BAD_NS/x'],
    ['--pin', 'kafka-pods=kafka/BAD'],
  ])('prints nothing for %s %j: the API server would refuse the policy and create the roles', async (option, value) => {
    await expect(call(option, value)).rejects.toThrow(/^--(subject|pin) takes /);
  });

  it.each([
    ['kubemend/runner', 'system:serviceaccount:kubemend:runner', 'kubemend.serviceaccount.kubemend.runner'],
    ['Runner@example.com', 'Runner@example.com', expect.stringMatching(/^kubemend\.user\.runner-example-com-[0-9a-f]{8}$/)],
  ])('holds a shared identity (%s) to one policy for all remediations, whichever it grants now', async (subject, username, name) => {
    const { objects } = await printed('--only', 'strimzi/upgrade-stale-crds', '--subject', subject);
    const [policy, ...more] = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    expect(more).toEqual([]);
    expect(policy?.metadata.name).toEqual(name);
    expect(policy?.spec?.matchConditions?.[0]?.expression).toBe(`request.userInfo.username == "${username}"`);
    expect(policy?.spec?.validations?.some(({ message }) => message.includes('kuberopipelines'))).toBe(true);
    expect(namesOf(objects, 'ClusterRole')).toEqual([expect.stringMatching(/^kubemend:strimzi:upgrade-stale-crds:/)]);
  });

  it('gives each subject roles and bindings of its own, so that one applied later takes nothing from the first and adds nothing to it', async () => {
    const rbac = async (...args: string[]) => {
      const pin = ['--pin', 'kafka-secrets=kafka/my-cluster-cluster-ca'];
      const { objects } = await printed('--no-policies', ...pin, ...args);
      return objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    };
    const subjects = ['kubemend/a', 'kubemend/b', 'Runner@example.com', 'runner-example.com', 'kubemend'];
    const names = [...(await Promise.all(subjects.map((subject) => rbac('--shadow', '--subject', subject)))), await rbac()];
    expect(new Set(names.flat()).size).toBe(names.flat().length);
    // As the API server checks names of RBAC objects.
    for (const name of names.flat()) expect(name.split(' ').at(-1)).not.toMatch(/[/%]/);
  });

  it('labels every role with its remediation, so that its rights can be deleted', async () => {
    const { objects, err } = await printed('--pin', 'kafka-secrets=kafka/my-cluster-cluster-ca', '--only', 'strimzi/resume-ca-roll');
    const rbac = objects.filter(({ kind }) => !kind.startsWith('Validating'));
    expect(rbac.map(({ kind }) => kind)).toEqual(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);
    for (const { metadata } of rbac)
      expect(metadata.labels).toEqual({ 'app.kubernetes.io/part-of': 'kubemend', 'app.kubernetes.io/component': 'strimzi.resume-ca-roll' });
    expect(err).toMatch(/kubectl apply removes nothing: .* kubectl delete clusterrole,clusterrolebinding,role,rolebinding -A -l/);
  });

  it('says that the exporter may read all Secrets, and leaves them or the whole role out', async () => {
    const secretsOf = ({ objects }: { objects: Printed[] }) =>
      objects
        .filter(({ metadata }) => metadata.name.startsWith('kubemend:exporter'))
        .flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.resources))
        .filter((one) => one === 'secrets');
    const usual = await printed('--shadow', '--namespace', 'kubero', '--subject', 'kubemend/kubemend');
    expect(secretsOf(usual)).toEqual(['secrets']);
    expect(usual.err).toMatch(
      /Granted to the exporter: list and watch on secrets in ALL namespaces.*--namespace does not narrow this.*--no-secrets/,
    );
    const narrow = await printed('--shadow', '--no-secrets');
    expect(secretsOf(narrow)).toEqual([]);
    expect(namesOf(narrow.objects, 'ClusterRole')).toContain('kubemend:exporter');
    const without = await printed('--shadow', '--no-exporter');
    expect(namesOf(without.objects, 'ClusterRole')).not.toContain('kubemend:exporter');
    for (const { err } of [narrow, without]) expect(err).not.toMatch(/Granted to the exporter/);
  });

  it('lets a shared token act as exactly the users of the remediations, and never as every user', async () => {
    const impersonating = async (...args: string[]) => {
      const { objects } = await printed('--shadow', '--impersonate', 'kubemend/functions', ...args);
      return objects.flatMap(({ rules = [] }) => rules).filter(({ verbs }) => verbs.includes('impersonate'));
    };
    const rule = { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] };
    const users = (await loadRemediations()).map(({ name }) => `kubemend:${name.replace('/', ':')}`);
    expect(await impersonating()).toEqual([{ ...rule, resourceNames: users }]);
    expect(await impersonating('--only', 'strimzi/resume-ca-roll')).toEqual([
      { ...rule, resourceNames: ['kubemend:strimzi:resume-ca-roll'] },
    ]);
    await expect(impersonating('--only', 'exporter')).rejects.toThrow(/needs a remediation/);
    await expect(impersonating('--subject', 'kubemend/a')).rejects.toThrow(/one of the two/);
    await expect(call('--impersonate', 'functions')).rejects.toThrow(/takes NAMESPACE\/SERVICEACCOUNT/);
    expect(() => impersonationRbac([], { kind: 'ServiceAccount', namespace: 'a', name: 'b' })).toThrow(/at least one user/);
  });

  it('says how --pin is written', async () => {
    await expect(call('--pin', 'zookeeper-pods')).rejects.toThrow('--pin takes NAME=NAMESPACE/OBJECT,…, got "zookeeper-pods"');
  });

  it.each(PAGES)('prints every role that %s applies, so that no failed command leaves a rule without names', (path) => {
    const page = readFileSync(join(ROOT, path), 'utf8');
    expect(page.match(/kubectl create (cluster)?role(binding)? .*/g) ?? []).toEqual([]);
    expect(page.match(/kubectl .*\$\(kubemend .*/g) ?? []).toEqual([]);
  });

  it('leaves the policies out for a Kubernetes that does not know them', async () => {
    const { objects } = await printed('--no-policies');
    expect(objects.filter(({ kind }) => kind.startsWith('Validating'))).toEqual([]);
  });

  it('runs as its help and the pages show it', async () => {
    const pages = PAGES.map((path) => readFileSync(join(ROOT, path), 'utf8'));
    const shown = pages.flatMap((page) => [...page.matchAll(/^kubemend (rights [^|#\n]*)/gm)].map(([, line = '']) => line.trim()));
    expect(shown.some((line) => line.includes('--impersonate'))).toBe(true);
    const lines = [...(verb.examples ?? []).map((example) => example.replace(/^kubemend /, '').replace(/ \|.*$/, '')), ...shown];
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines.filter((one) => !one.includes('--aws'))) {
      const { code } = await call(...line.split(/\s+/).slice(1));
      expect({ line, code }).toEqual({ line, code: 0 });
    }
  });
});
