import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { widgetPath } from '../test/toy-remediation.ts';
import { ToyWorld } from '../test/toy-world.ts';
import { linesOf } from './document-changes.ts';
import type { KubernetesObject } from './kubernetes/object.ts';
import { documentsOf } from './kubernetes/yaml.ts';

const object = (spec: object, more: object = {}): KubernetesObject => ({ metadata: { name: 'a' }, spec, ...more }) as KubernetesObject;

it.each<[string, object, object, string[]]>([
  ['nothing', { a: 1, serverAdds: true }, { a: 1 }, []],
  ['a field', { a: 1 }, { a: 2 }, ['~ spec.a']],
  ['a new field, by its highest new path', {}, { deep: { a: { b: 1 } } }, ['+ spec.deep']],
  ['nothing, where what is new is empty', {}, { deep: { a: {} }, list: [], no: null, text: '' }, []],
  ['names with dots and slashes', { 'x/y.z': 1 }, { 'x/y.z': 2 }, ['~ spec["x/y.z"]']],
  [
    'a member of a list, by its name; what is lost comes first',
    { versions: [{ name: 'v1', old: 1, same: 1 }, { name: 'v0' }] },
    { versions: [{ name: 'v2' }, { name: 'v1', same: 2, fresh: 1 }] },
    ['- spec.versions[v0]', '- spec.versions[v1].old', '+ spec.versions[v2]', '+ spec.versions[v1].fresh', '~ spec.versions[v1].same'],
  ],
  ['a plain list', { enum: ['a', 'b'] }, { enum: ['b', 'c'] }, ['- spec.enum[a]', '+ spec.enum[c]']],
  ['a list without names, as a whole', { rules: [{ rule: 'a' }] }, { rules: [{ rule: 'b' }] }, ['~ spec.rules']],
  ['words last', { description: 'a', z: 1 }, { description: 'b', z: 2 }, ['~ spec.z', '~ spec.description']],
  ['outer fields first', { a: { b: { c: 1 } }, d: 1 }, { a: { b: { c: 2 } }, d: 2 }, ['~ spec.d', '~ spec.a.b.c']],
])('an applied document shows %s', (_, live, written, expected) => {
  expect(linesOf(object(live, { status: { a: 1 } }), object(written, { status: { a: 2 } }))).toEqual(expected);
});

it('shows twenty changes, and how many more there are', () => {
  const spec = (value: number) => object(Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, value])));
  const lines = linesOf(spec(1), spec(2));
  expect([lines.length, lines[0], lines[20]]).toEqual([21, '~ spec.f0', 'and 13 more']);
});

it('the changes are in the plan from the start, and no part of its hash', async () => {
  const world = new ToyWorld({ kind: 'apply' });
  await world.fact();
  const { plan } = await world.incident();
  expect(plan?.changes).toEqual([['~ spec.color']]);
  world.cluster.change(widgetPath('a'), { spec: { size: 1 } });
  await world.run(60_000);
  expect(await world.incident()).toMatchObject({ state: 'shadowed', plan: { hash: plan?.hash, changes: plan?.changes } });
});

it('shows what strimzi#10576 is about', async () => {
  const [live, target] = await Promise.all(
    ['0.41.0', '0.43.0'].map(async (version) => {
      const file = join(import.meta.dirname, `../artifacts/strimzi/${version}.yaml.gz`);
      const all = await documentsOf(gunzipSync(readFileSync(file)).toString('utf8'));
      return all.find(({ metadata }) => metadata.name === 'kafkas.kafka.strimzi.io') as KubernetesObject;
    }),
  );
  const lines = linesOf(live as KubernetesObject, target as KubernetesObject);
  expect(lines).toContain('+ spec.versions[v1beta2].schema.status.registeredNodeIds');
  expect(lines.filter((line) => line.startsWith('-') && !line.includes('.required['))).toEqual([]);
  expect(lines.join('').length).toBeLessThan(3_000);
});
