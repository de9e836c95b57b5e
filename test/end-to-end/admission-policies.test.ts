import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import compare from 'semver/functions/compare.js';
import { identityOf } from '../../infra/kubernetes/rbac.ts';
import type { Draft } from '../control-plane/admin.ts';
import { parseCrds, readCrds } from '../scenarios/strimzi/cluster.ts';
import { ABUSES } from './admission/abuses.ts';
import { NEEDED } from './admission/needed.ts';
import { type Asked, CA, CRDS, create, json, kafkas, merge, PODS, remove, SPEC_OF_SPEC } from './admission/requests.ts';
import { type AdmissionWorld, startAdmissionWorld, UNBOUND } from './admission/world.ts';

let world: AdmissionWorld;
beforeAll(async () => {
  world = await startAdmissionWorld();
}, 600_000);
afterAll(() => world?.stop());

describe('the generated admission policies, on a real API server', () => {
  it.each(NEEDED)('admit what %s needs: %s', async (name, _, asked) => {
    expect(await world.ask(identityOf(name), asked)).toBe('admitted');
  });

  it.each(ABUSES)('refuse %s what its role would allow, %s, and refuse it nobody else', async (name, _, asked) => {
    const policy = `ValidatingAdmissionPolicy 'kubemend.${name.replace('/', '.')}'`;
    expect(await world.ask(identityOf(name), asked)).toMatch(
      new RegExp(`^403 .*${policy}.*${identityOf(name)} (may not do this|declares no such write)`, 's'),
    );
    expect(await world.ask(UNBOUND, asked)).toBe('admitted');
  });

  it('hold an identity to its declared writes even when a role grants it everything', async () => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: identityOf(CA) }];
    await world.admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'everything' },
      roleRef,
      subjects,
    });
    const secret = { metadata: { name: 'stolen' }, stringData: { token: 'a' } };
    const account = { metadata: { name: 'stolen' } };
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'kafka-0', namespace: 'kafka' } };
    for (const [request, asked] of [
      ['CREATE /secrets', create('/api/v1/namespaces/kube-system/secrets', secret)],
      ['CREATE /serviceaccounts', create('/api/v1/namespaces/kube-system/serviceaccounts', account)],
      ['DELETE /pods', remove(`${PODS}/kafka-0`)],
      ['CREATE /pods/eviction', create(`${PODS}/kafka-0/eviction`, eviction)],
      ['UPDATE /pods/status', merge(`${PODS}/kafka-0/status`, { status: { phase: 'Failed' } })],
      [
        'CREATE rbac.authorization.k8s.io/clusterrolebindings',
        create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { metadata: { name: 'b' }, roleRef, subjects }),
      ],
      ['DELETE apiextensions.k8s.io/customresourcedefinitions', remove(kafkas)],
    ] as const) {
      const refused = `${identityOf(CA)} declares no such write: ${request}`;
      expect(await world.ask(identityOf(CA), asked)).toMatch(new RegExp(`^403 .*${refused}`, 's'));
    }
    // What SECURITY.md and docs/threat-model.md except: the API server asks no policy about these.
    const binding = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/kubemend.${CA.replace('/', '.')}`;
    expect(await world.ask(identityOf(CA), remove(binding))).toBe('admitted');
  });

  it('hold exec to the commands that kubemend runs', async () => {
    const exec = (...words: string[]) =>
      create(`${PODS}/kafka-0/exec?stdout=true&${words.map((word) => `command=${encodeURIComponent(word)}`).join('&')}`, undefined);
    const shell = ['env', 'TZ=UTC', 'KAFKA_HEAP_OPTS=-Xmx32M', 'bin/zookeeper-shell.sh', 'localhost:12181'];
    const user = identityOf('strimzi/delete-stale-migration-znode');
    // Admitted: the pod runs on no node here, which only then is found out.
    for (const words of [
      ['get', '-s', '/controller'],
      ['sync', '/migration'],
      ['delete', '-v', '3', '/migration'],
      ['create', '/migration', '{"version":0}'],
      ['create', '/migration', '{"version":0,\n"kraft_metadata_offset":5}'],
    ])
      expect(await world.ask(user, exec(...shell, ...words))).toMatch(/^400 .*does not have a host assigned/);
    for (const words of [
      ['sh', '-c', 'id'],
      [...shell, 'delete', '-v', '3', '/brokers'],
      [...shell, 'deleteall', '/'],
      ['env', 'TZ=UTC', 'sh'],
      // One word that holds the rest of an allowed command, and then another command.
      ['env', 'TZ=UTC', 'KAFKA_HEAP_OPTS=-Xmx32M bin/zookeeper-shell.sh localhost:12181 create /migration x', 'sh', '-c', 'id'],
      ['env', 'TZ=UTC KAFKA_HEAP_OPTS=-Xmx32M bin/zookeeper-shell.sh localhost:12181 create /migration .', '/bin/sh'],
      [...shell, 'get -s /a'],
      [...shell, 'create', '/migration', '{}', 'world:anyone:cdrwa'],
      [...shell, 'create', '/migration', '-s'],
    ]) {
      expect(await world.ask(user, exec(...words))).toMatch(/^403 .*it runs only env TZ=UTC/);
      expect(await world.ask(UNBOUND, exec(...words))).toMatch(/^400 .*does not have a host assigned/);
    }
  });

  it('admit the schemas of each pinned Strimzi version over the one before, and back, and refuse to add a version', async () => {
    const versions = Object.keys(JSON.parse(readFileSync(join(import.meta.dirname, '../../artifacts/index.json'), 'utf8')) as object)
      .map((name) => name.replace('strimzi/', ''))
      .sort(compare);
    const documents = await Promise.all(
      versions.map(async (version) =>
        parseCrds(await readCrds(version)).find(({ metadata }) => metadata?.name === 'kafkas.kafka.strimzi.io'),
      ),
    );
    const schemas = (document: Draft | undefined): Asked => {
      const { apiVersion, kind, metadata, spec } = document as Draft;
      const body = { apiVersion, kind, metadata: { name: metadata?.name }, spec: { versions: spec?.versions } };
      return { method: 'PATCH', path: `${kafkas}?force=true`, body, contentType: 'application/apply-patch+yaml' };
    };
    const names = (document: Draft | undefined): string =>
      JSON.stringify(((document?.spec?.versions ?? []) as { name: string }[]).map(({ name }) => name));
    const apply = (document: Draft | undefined) => world.admin.patch(`${kafkas}?fieldManager=kubectl&force=true`, 'apply', document);
    const answers: string[] = [];
    await apply(documents[0]);
    for (const [index, older] of documents.entries()) {
      const newer = documents[index + 1];
      if (!newer) break;
      if (names(older) !== names(newer)) {
        expect(await world.ask(identityOf(CRDS), schemas(newer))).toMatch(/^403 .*may not do this/s);
        // The largest of all: two versions.
        await apply(newer);
        const title = [{ op: 'add', path: `${SPEC_OF_SPEC}/description`, value: 'Kafkas' }];
        answers.push(await world.ask(identityOf(CRDS), json(kafkas, title)));
        break;
      }
      answers.push(await world.ask(identityOf(CRDS), schemas(newer)));
      await apply(newer);
      answers.push(await world.ask(identityOf(CRDS), schemas(older)));
    }
    expect(answers.filter((answer) => answer !== 'admitted')).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
  }, 600_000);
});
