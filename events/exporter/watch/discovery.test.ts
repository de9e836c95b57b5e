import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiServer, json, startApiServer } from '../testdata/api-server.ts';
import { resolve } from './discovery.ts';

const versions = (...names: string[]) => names.map((version) => ({ groupVersion: `demo/${version}`, version }));
const documents: Record<string, unknown> = {
  '/api/v1': {
    resources: [
      { name: 'pods', kind: 'Pod', namespaced: true },
      { name: 'pods/log', kind: 'Pod', namespaced: true },
    ],
  },
  '/apis/demo': { versions: versions('v1', 'v1beta2'), preferredVersion: versions('v1beta2')[0] },
  '/apis/demo/v1': {
    resources: [
      { name: 'things', kind: 'Thing', namespaced: true },
      { name: 'olds', kind: 'Old', namespaced: false },
    ],
  },
  '/apis/demo/v1beta2': { resources: [{ name: 'things', kind: 'Thing', namespaced: true }] },
};

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer((response, { pathname }) => {
    if (pathname === '/apis/broken') json(response, { message: 'etcd is slow' }, 503);
    else json(response, documents[pathname] ?? {}, documents[pathname] ? 200 : 404);
  });
});
afterAll(() => server.close());

const find = (group: string, resource: string) => resolve(server.open, group, resource, new AbortController().signal);

describe('resolve', () => {
  it.each([
    ['', 'pods', { path: '/api/v1/pods', version: 'v1', namespaced: true, kind: 'Pod' }],
    ['demo', 'things', { path: '/apis/demo/v1beta2/things', version: 'v1beta2', namespaced: true, kind: 'Thing' }],
    ['demo', 'olds', { path: '/apis/demo/v1/olds', version: 'v1', namespaced: false, kind: 'Old' }],
    ['demo', 'nothing', undefined],
    ['absent', 'things', undefined],
  ])('finds %s/%s, preferred version first', async (group, resource, expected) => {
    expect(await find(group, resource)).toEqual(expected);
  });

  it('does not take a failing server for an absent resource', async () => {
    await expect(find('broken', 'things')).rejects.toThrow('GET /apis/broken answered 503');
  });
});
