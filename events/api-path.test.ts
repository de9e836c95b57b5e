import { describe, expect, it } from '@jest/globals';
import { type ApiPath, apiPath } from './api-path.ts';
import { objectReference } from './fact.ts';

const KAFKA = { group: 'kafka.strimzi.io', version: 'v1beta2', resource: 'kafkas', namespace: 'shop', name: 'my-cluster' };

it.each<[string, ApiPath]>([
  ['/apis/kafka.strimzi.io/v1beta2/namespaces/shop/kafkas/my-cluster', KAFKA],
  ['/apis/kafka.strimzi.io/v1beta2/namespaces/shop/kafkas', { ...KAFKA, name: undefined }],
  ['/apis/kafka.strimzi.io', { group: KAFKA.group }],
  ['/api/v1', { group: '', version: 'v1' }],
  ['/api/v1/namespaces/shop', { group: '', version: 'v1', resource: 'namespaces', name: 'shop' }],
  [
    '/api/v1/namespaces/shop/pods/a/exec',
    { group: '', version: 'v1', resource: 'pods', namespace: 'shop', name: 'a', subresource: 'exec' },
  ],
  [
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode%20Two',
    { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles', name: 'system:node Two' },
  ],
])('builds %s from its parts', (path, parts) => {
  expect(apiPath(parts)).toBe(path);
});

const FORGED: [keyof typeof KAFKA, string][] = [
  ...['..', '.', '', 'a/b', '%2e%2e', 'a%2fb', 'a\nb', 'a\u2028b', 'a'.repeat(254)].map(
    (name) => ['name', name] as [keyof typeof KAFKA, string],
  ),
  ['version', 'v1/../../../api/v1/namespaces/kube-system/secrets/admin-token#'],
  ['version', 'v1?watch=1'],
  ['version', '..'],
  ['namespace', '..'],
  ['namespace', 'x/../../../../../api/v1/namespaces/victim/serviceaccounts/default/token?'],
  ['namespace', 'Shop'],
  ['resource', 'secrets/x'],
  ['resource', 'secrets?'],
  ['resource', 'SECRETS'],
  ['resource', 'watch'],
  ['resource', 'proxy'],
  ['group', '..'],
  ['group', 'a/b'],
  ['group', 'a..b'],
];

describe('a part that the API server does not accept', () => {
  it.each(FORGED)('is refused as a path and as part of a fact: %s %j', (part, value) => {
    expect(() => apiPath({ ...KAFKA, [part]: value })).toThrow(`is not a valid ${part}`);
    expect(objectReference.safeParse(KAFKA).success).toBe(true);
    const { error } = objectReference.safeParse({ ...KAFKA, [part]: value });
    expect(error?.issues.map(({ path, message }) => `${path} ${message}`)).toEqual([`${part} is not a valid ${part}`]);
  });
});
