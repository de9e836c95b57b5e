import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { readAuditEvent } from '../events/exporter/audit/audit-record.ts';
import { container, metadata, OBJECTS, secret } from '../test/fixtures/planted-credentials.ts';
import { markersIn } from '../test/markers.ts';
import { parseCrds } from './kubernetes/crd.ts';
import { loadRedaction, redaction } from './redaction.ts';

const { object: redact, audit } = await loadRedaction(Buffer.alloc(32, 7), ['STRIMZI_NAMESPACE']);
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

  it.each(['AKIAIOSFODNN7EXAMPLE', 'ghp_0123456789abcdef', 'Basic dXNlcjpwYXNz', 'xoxb-123456789-abc'])(
    'holds no text of the form %s',
    (text) => {
      expect(JSON.stringify(redact({ message: `it says ${text}.` }))).toMatch(/it says redacted-\w{12}\./);
    },
  );

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
    const under = (key: number) => redaction(Buffer.alloc(32, key), [], []).object({ password: 'x' });
    expect(under(8)).not.toEqual(under(9));
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
        annotations: { 'strimzi.io/kraft': 'enabled', 'strimzi.io/ca-key-generation': '2', 'strimzi.io/server-cert-hash': 'c61d' },
      },
      spec: {
        replicas: 3,
        createSecret: 'copy',
        deploymentstrategy: 'git',
        registry: { createSecret: 'copy', existingSecret: 'registry-login' },
        systemAccounts: [{ name: 'root', secretRef: { name: 'root', namespace: 'n' }, clientSecret: { name: 'oauth', key: 'client' } }],
        tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
        volumes: [
          { name: 'ca', secret: { secretName: 'my-cluster-cluster-ca-cert' } },
          { name: 'token', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } },
        ],
        bypass: 'yes',
        url: 'ssh://git@host/x.git',
        imageID: 'docker-pullable://operator@sha256:0123',
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
      status: {
        conditions: [{ type: 'Ready', status: 'True', message: 'Release was successful: Secret "x" not found, basic auth' }],
        token: '',
      },
    };
    expect(redact(judged)).toEqual(judged);
  });
});
