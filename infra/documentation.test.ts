import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { indexOf, PAGES, pageName, pageOf, THREAT_MODEL } from './documentation.ts';
import { loadRemediations } from './remediations.ts';
import { threatModelOf } from './threat-model.ts';

it('The pages of docs/remediations are those that npm run docs would write now', async () => {
  const remediations = await loadRemediations();
  const wanted = { ...Object.fromEntries(remediations.map((one) => [pageName(one), pageOf(one)])), 'README.md': indexOf(remediations) };
  const found = Object.fromEntries(readdirSync(PAGES).map((file) => [file, readFileSync(join(PAGES, file), 'utf8')]));
  expect(found).toEqual(wanted);
});

it('The lists of docs/threat-model.md are those that npm run docs would write now', async () => {
  const page = readFileSync(THREAT_MODEL, 'utf8');
  expect(threatModelOf(page, await loadRemediations())).toBe(page);
});

it('A page says what the failure is, what may be written, and links the defect', async () => {
  const [page] = (await loadRemediations()).filter(({ name }) => name === 'strimzi/upgrade-stale-crds').map(pageOf);
  for (const part of [
    '[strimzi/strimzi-kafka-operator#10576](https://github.com/strimzi/strimzi-kafka-operator/issues/10576)',
    '| `apiextensions.k8s.io` | `customresourcedefinitions`, only `kafkas.kafka.strimzi.io` | get, patch |',
    'also before anything hurts',
    '"phantoms"',
  ]) {
    expect(page).toContain(part);
  }
});
