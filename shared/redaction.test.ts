import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { readAuditEvent } from '../events/exporter/audit/audit-record.ts';
import { MARKER, markersIn } from '../test/markers.ts';
import { parseCrds } from './kubernetes/crd.ts';
import { redaction } from './redaction.ts';

const { object: redact, audit } = redaction(Buffer.alloc(32, 7), ['STRIMZI_NAMESPACE']);
const secret = (name: string): string => `${MARKER}${name}`;
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const release = base64(base64(gzipSync(JSON.stringify({ manifest: secret('HELM-RELEASE'), config: { password: secret('HELM-VALUES') } }))));
const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec: { anything: secret('LAST-APPLIED') } }) };
const container = (name: string) => ({
  name: 'c',
  image: 'shop:1',
  env: [
    { name: 'DB', value: secret(name) },
    { name: 'REF', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
  ],
});
const podTemplate = (name: string) => ({
  metadata: { annotations: lastApplied },
  spec: { containers: [container(name)], initContainers: [container(`${name}-INIT`)] },
});
const metadata = { name: 'x', namespace: 'shop' };

/** Every place of research/measured.md where credentials appear, and a few more of the same kind. */
const OBJECTS: Record<string, object> = {
  'last-applied-configuration on anything': { kind: 'Widget', metadata: { ...metadata, annotations: lastApplied } },
  'KuberoPipeline spec.git.keys': {
    kind: 'KuberoPipeline',
    metadata,
    spec: { git: { keys: { priv: base64(secret('GIT-PRIV')), pub: secret('GIT-PUB') } } },
  },
  'KuberoPipeline spec.registry': {
    kind: 'KuberoPipeline',
    metadata,
    spec: { registry: { username: secret('REG-USER'), password: secret('REG-PASS') } },
  },
  'KuberoPipeline status.deployedRelease.manifest': {
    kind: 'KuberoPipeline',
    metadata,
    status: {
      deployedRelease: {
        name: 'x',
        manifest: `kind: Secret\ndata:\n  password: ${base64(secret('MANIFEST'))}\n# ${secret('MANIFEST-CLEAR')}`,
      },
    },
  },
  'Kubero spec.registry.account': {
    kind: 'Kubero',
    metadata,
    spec: { registry: { account: { username: secret('ACCOUNT-USER'), password: secret('ACCOUNT-PASS'), hash: secret('ACCOUNT-HASH') } } },
  },
  'Kubero spec.kubero.sessionKey': { kind: 'Kubero', metadata, spec: { kubero: { sessionKey: secret('SESSION') } } },
  'KuberoApp spec.envVars': { kind: 'KuberoApp', metadata, spec: { envVars: [{ name: 'API', value: secret('APP-ENV') }] } },
  'Deployment env': { kind: 'Deployment', metadata, spec: { template: podTemplate('DEPLOYMENT-ENV') } },
  'ReplicaSet env': { kind: 'ReplicaSet', metadata, spec: { template: podTemplate('REPLICASET-ENV') } },
  'Pod env': { kind: 'Pod', metadata, spec: podTemplate('POD-ENV').spec },
  'StrimziPodSet pods': { kind: 'StrimziPodSet', metadata, spec: { pods: [{ kind: 'Pod', ...podTemplate('PODSET-ENV') }] } },
  'command and args': {
    kind: 'Pod',
    metadata,
    spec: { containers: [{ name: 'c', command: ['sh', '-c', `psql ${secret('COMMAND')}`], args: [`--password=${secret('ARGS')}`] }] },
  },
  'Secret data and stringData': {
    kind: 'Secret',
    metadata,
    data: {
      password: base64(secret('SECRET-DATA')),
      '.dockerconfigjson': base64(JSON.stringify({ auths: { r: { auth: base64(secret('DOCKER')) } } })),
    },
    stringData: { a: secret('STRING-DATA') },
  },
  'Helm release payload': {
    kind: 'Secret',
    metadata: { ...metadata, name: 'sh.helm.release.v1.x.v1' },
    type: 'helm.sh/release.v1',
    data: { release },
  },
  'Helm release payload in a ConfigMap': { kind: 'ConfigMap', metadata, data: { release: base64(gzipSync(secret('HELM-CONFIGMAP'))) } },
  'Helm release payload, wherever': {
    kind: 'Widget',
    metadata,
    spec: { note: base64(gzipSync(JSON.stringify({ secret: secret('ARCHIVE') }))), inner: release },
  },
  'token response': { kind: 'TokenRequest', metadata, status: { token: secret('TOKEN') } },
  'OpsRequest parameters, 0.9': {
    kind: 'OpsRequest',
    metadata,
    spec: {
      reconfigure: {
        configurations: [{ name: 'c', keys: [{ key: 'my.cnf', parameters: [{ key: 'root_password', value: secret('OPS-09') }] }] }],
      },
    },
  },
  'OpsRequest parameters, 1.0': {
    kind: 'OpsRequest',
    metadata,
    spec: { reconfigures: [{ componentName: 'c', parameters: [{ key: 'requirepass', value: secret('OPS-10') }] }] },
    status: { reconfiguringStatus: [{ updatedParameters: { updatedKeys: { requirepass: secret('OPS-STATUS') } } }] },
  },
  'OpsRequest custom parameters': {
    kind: 'OpsRequest',
    metadata,
    spec: { custom: { components: [{ parameters: [{ name: 'p', value: secret('OPS-CUSTOM') }] }] } },
  },
  'Parameter componentParameters': {
    kind: 'Parameter',
    metadata,
    spec: { componentParameters: [{ componentName: 'c', parameters: { requirepass: secret('PARAMETER') } }] },
  },
  'a URL with a password, a PEM block, a JWT, a bearer token': {
    kind: 'Widget',
    metadata,
    spec: {
      a: `https://user:${secret('URL')}@host/x`,
      b: `-----BEGIN PRIVATE KEY-----\n${secret('PEM')}\n-----END PRIVATE KEY-----`,
      c: `eyJhbGciOiJub25lIn0.${base64(secret('JWT')).replaceAll('=', '')}.x`,
      d: `Authorization: Bearer ${secret('BEARER')}`,
    },
  },
  managedFields: {
    kind: 'Widget',
    metadata: { ...metadata, managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': { [`v:"${secret('FIELDS')}"`]: {} } } }] },
  },
};

const event = (more: object) => ({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'RequestResponse',
  auditID: 'a-1',
  stage: 'ResponseComplete',
  verb: 'patch',
  requestURI: '/apis/application.kubero.dev/v1alpha1/namespaces/shop/kuberopipelines/x?fieldManager=kubectl',
  user: {
    username: 'ada',
    extra: { 'authentication.kubernetes.io/credential-id': [secret('CREDENTIAL-ID')], 'authentication.kubernetes.io/pod-name': ['p'] },
  },
  userAgent: 'kubectl/1.36',
  objectRef: { resource: 'kuberopipelines', apiGroup: 'application.kubero.dev', apiVersion: 'v1alpha1', namespace: 'shop', name: 'x' },
  responseStatus: { code: 200, message: secret('STATUS-MESSAGE') },
  requestReceivedTimestamp: '2026-01-01T00:00:00Z',
  stageTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});
const AUDIT: Record<string, object> = {
  'JSON Patch values': event({
    requestObject: [{ op: 'replace', path: '/spec/registry', value: { username: secret('PATCH-USER'), password: secret('PATCH-PASS') } }],
  }),
  'responses to no-op patches': event({ responseObject: OBJECTS['Deployment env'] }),
  'token responses': event({ verb: 'create', responseObject: OBJECTS['token response'] }),
  'commands of an exec': event({
    verb: 'create',
    requestURI: `/api/v1/namespaces/shop/pods/x/exec?command=psql&command=${secret('EXEC')}&fieldManager=kubectl`,
  }),
  'who asked, and messages': event({ annotations: { 'example.com/x': secret('ANNOTATION') }, sourceIPs: [secret('IP')] }),
};

describe('what a capture keeps', () => {
  it.each(Object.entries(OBJECTS))('holds nothing of: %s', (_, planted) => {
    expect(markersIn(JSON.stringify(planted)).length).toBeGreaterThan(0);
    expect(markersIn(JSON.stringify(redact(planted)))).toEqual([]);
    expect(markersIn(JSON.stringify(redact({ deep: [{ items: [planted] }] })))).toEqual([]);
  });

  it.each(Object.entries(AUDIT))('holds nothing of an audit event’s %s', (_, planted) => {
    expect(markersIn(JSON.stringify(planted)).length).toBeGreaterThan(0);
    expect(markersIn(JSON.stringify(audit(planted)))).toEqual([]);
  });

  it('counts the same: an audit event reads as before', () => {
    const planted = event({ responseObject: { metadata: { name: 'x', uid: 'u' } } });
    expect(readAuditEvent(audit(planted))).toEqual(readAuditEvent(planted));
  });

  it('compares as before: the same value is the same mark, another is another, and no mark tells its value', () => {
    const [one, same, other] = ['A', 'A', 'B'].map((name) => redact(OBJECTS['Pod env'] && { spec: { containers: [container(name)] } }));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    expect(redaction(Buffer.alloc(32, 8)).object({ password: 'x' })).not.toEqual(redaction(Buffer.alloc(32, 9)).object({ password: 'x' }));
  });

  // 0.37.0: v1beta2 with every resource there was. 1.2.0: the newest.
  it.each(['0.37.0', '1.2.0'])('leaves the CRDs of Strimzi %s as they are: a schema names fields', async (version) => {
    const file = join(import.meta.dirname, `../artifacts/strimzi/${version}.yaml.gz`);
    const crds = await parseCrds(gunzipSync(readFileSync(file)).toString('utf8'));
    expect(crds.length).toBeGreaterThan(5);
    for (const crd of crds) expect(redact(crd)).toEqual(crd);
  });

  it('holds no default, example or text of a schema that is a credential', () => {
    const openAPIV3Schema = {
      description: `as in https://user:${secret('DESCRIPTION')}@host`,
      properties: {
        password: { type: 'string', default: secret('DEFAULT'), description: 'the password' },
        env: {
          type: 'array',
          items: { type: 'object', properties: { token: { type: 'string' } } },
          default: [{ name: 'A', value: secret('DEFAULT-ENV') }],
        },
        default: { type: 'object', properties: { clientSecret: { type: 'string', example: secret('EXAMPLE') } } },
      },
    };
    const crd = { kind: 'CustomResourceDefinition', metadata, spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema } }] } };
    const redacted = JSON.stringify(redact(crd));
    expect(markersIn(JSON.stringify(crd))).toHaveLength(4);
    expect(markersIn(redacted)).toEqual([]);
    expect(redacted).toContain('"properties":{"token":{"type":"string"}}');
    expect(redacted).toContain('"clientSecret":{"type":"string","example":"redacted-');
  });

  it('leaves what examinations judge', () => {
    const judged = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'x',
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        labels: { app: 'strimzi' },
        annotations: { 'strimzi.io/kraft': 'enabled' },
      },
      spec: {
        replicas: 3,
        createSecret: 'copy',
        deploymentstrategy: 'git',
        template: {
          spec: {
            containers: [
              {
                image: 'op:1',
                env: [
                  { name: 'STRIMZI_NAMESPACE', value: '*' },
                  { name: 'REF', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                ],
              },
            ],
          },
        },
      },
      status: { conditions: [{ type: 'Ready', status: 'True', message: 'Release was successful' }], token: '' },
    };
    expect(redact(judged)).toEqual(judged);
  });
});
