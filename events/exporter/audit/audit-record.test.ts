import { describe, expect, it } from '@jest/globals';
import { readAuditEvent } from './audit-record.ts';

const event = {
  kind: 'Event',
  auditID: 'id-1',
  stage: 'ResponseComplete',
  requestURI: '/apis/kafka.strimzi.io/v1beta2/namespaces/prod/kafkas/eventing/status?fieldManager=strimzi&timeout=3s',
  verb: 'update',
  user: {
    username: 'system:serviceaccount:s:op',
    extra: { 'authentication.kubernetes.io/pod-name': ['op-1'], 'authentication.kubernetes.io/pod-uid': ['u-1'] },
  },
  userAgent: 'strimzi-cluster-operator/0.43.0',
  objectRef: {
    apiGroup: 'kafka.strimzi.io',
    apiVersion: 'v1beta2',
    resource: 'kafkas',
    subresource: 'status',
    namespace: 'prod',
    name: 'eventing',
  },
  responseStatus: { metadata: {}, code: 200 },
  stageTimestamp: '2026-11-21T02:01:57.634892Z',
};

const record = (more: object) => {
  const reading = readAuditEvent({ ...event, ...more });
  if (reading.kind !== 'record') throw new Error(`${reading.kind}`);
  return reading.record;
};

describe('readAuditEvent', () => {
  it('reads what counting needs, and nothing else', () => {
    expect(readAuditEvent(event)).toEqual({
      kind: 'record',
      record: {
        auditID: 'id-1',
        stage: 'ResponseComplete',
        at: Date.UTC(2026, 10, 21, 2, 1, 57, 634),
        verb: 'update',
        group: 'kafka.strimzi.io',
        version: 'v1beta2',
        resource: 'kafkas',
        subresource: 'status',
        namespace: 'prod',
        name: 'eventing',
        code: 200,
        user: 'system:serviceaccount:s:op',
        userAgent: 'strimzi-cluster-operator/0.43.0',
        pod: 'op-1',
        podUid: 'u-1',
        fieldManager: 'strimzi',
        dryRun: false,
      },
    });
  });

  it.each([
    ['of a failed authentication', {}],
    ['named system:anonymous', { username: 'system:anonymous', groups: ['system:unauthenticated'] }],
    ['of the group system:unauthenticated', { username: 'a', groups: ['x', 'system:unauthenticated'] }],
  ])('marks a user %s as unauthenticated', (_, user) => {
    expect(record({ user })).toMatchObject({ unauthenticated: true });
    expect(record({})).not.toHaveProperty('unauthenticated');
  });

  it('takes the authorization of a request from the annotation of the API server only', () => {
    const decision = (value: string) => record({ annotations: { 'authorization.k8s.io/decision': value } });
    expect(decision('allow')).toMatchObject({ allowed: true });
    for (const other of [decision('forbid'), record({}), record({ annotations: 'allow' })]) expect(other).not.toHaveProperty('allowed');
  });

  it('sees a dry run in the request URI only', () => {
    expect(record({ requestURI: `${event.requestURI}&dryRun=All` }).dryRun).toBe(true);
  });

  it('takes the name of a generated object from the answer', () => {
    const objectRef = { resource: 'pods', apiVersion: 'v1', namespace: 'prod' };
    const responseObject = { kind: 'Pod', metadata: { name: 'web-x7k2p', uid: 'u-1' } };
    expect(record({ verb: 'create', objectRef, responseObject })).toMatchObject({ group: '', name: 'web-x7k2p', uid: 'u-1' });
    expect(record({ verb: 'create', objectRef }).name).toBeUndefined();
  });

  it('names the impersonated user and who is behind it', () => {
    expect(record({ impersonatedUser: { username: 'kubemend:fix' } })).toMatchObject({
      user: 'kubemend:fix',
      impersonator: event.user.username,
    });
  });

  it('counts a panic as an error', () => {
    expect(record({ stage: 'Panic', responseStatus: undefined }).code).toBe(500);
  });

  it.each([
    ['a read', { verb: 'get' }],
    ['an earlier stage', { stage: 'RequestReceived' }],
    ['a request on no object', { verb: 'create', objectRef: undefined }],
  ])('ignores %s', (_, more) => {
    expect(readAuditEvent({ ...event, ...more })).toEqual({ kind: 'ignored' });
  });

  it.each([
    ['text', 'nonsense'],
    ['null', null],
    ['no user', { ...event, user: undefined }],
    ['no time', { ...event, stageTimestamp: 'yesterday' }],
    ['no resource', { ...event, objectRef: { name: 'x' } }],
    ['no id', { ...event, auditID: '' }],
  ])('reports %s as malformed', (_, input) => {
    expect(readAuditEvent(input)).toMatchObject({ kind: 'malformed', because: expect.any(String) });
  });
});
