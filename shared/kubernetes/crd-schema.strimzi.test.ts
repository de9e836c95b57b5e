import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type CustomResourceDefinition, parseCrds } from './crd.ts';
import { missingStatusFields, schemaLosses } from './crd-schema.ts';

const shipped = join(import.meta.dirname, '../../artifacts/strimzi');
const cache = new Map<string, CustomResourceDefinition[]>();

async function strimzi(version: string): Promise<CustomResourceDefinition[]> {
  const known = cache.get(version);
  if (known) return known;
  const crds = await parseCrds(gunzipSync(readFileSync(join(shipped, `${version}.yaml.gz`))).toString('utf8'));
  cache.set(version, crds);
  return crds;
}

const named = async (version: string, plural: string): Promise<CustomResourceDefinition> => {
  const crd = (await strimzi(version)).find(({ spec }) => spec.names.plural === plural);
  if (!crd) throw new Error(`Strimzi ${version} has no CRD ${plural}`);
  return crd;
};

/** The losses of all CRDs that both releases have, each led by its plural name. */
const lossesBetween = async (before: string, after: string): Promise<string[]> => {
  const targets = await strimzi(after);
  return (await strimzi(before)).flatMap((live) => {
    const target = targets.find(({ metadata }) => metadata.name === live.metadata.name);
    return target ? schemaLosses(live, target).map((loss) => `${live.spec.names.plural} ${loss}`) : [];
  });
};

/** What kube-apiserver 1.36 adds to a CRD it stores, as recorded in front of the storm of strimzi#10576. */
function asServed(crd: CustomResourceDefinition): CustomResourceDefinition {
  const { names, versions } = crd.spec;
  return {
    ...crd,
    metadata: { ...crd.metadata, uid: '7f1c', resourceVersion: '211', generation: 1, managedFields: [] },
    spec: {
      ...crd.spec,
      names: { ...names, listKind: `${names.kind}List`, singular: names.kind.toLowerCase() },
      conversion: { strategy: 'None' },
      versions,
    },
    status: { conditions: [], acceptedNames: names, storedVersions: versions.filter(({ storage }) => storage).map(({ name }) => name) },
  };
}

describe('the CRDs that Strimzi released', () => {
  it.each([
    ['0.37.0', '0.38.0'],
    ['0.38.0', '0.39.0'],
    ['0.41.0', '0.42.0'],
    ['0.42.0', '0.43.0'],
    ['0.41.0', '0.43.0'],
    ['0.44.0', '0.45.0'],
    ['0.45.0', '0.46.0'],
    ['0.46.0', '0.46.1'],
    ['0.47.0', '0.48.0'],
  ])('%s → %s keeps everything', async (before, after) => {
    expect(await lossesBetween(before, after)).toEqual([]);
  });

  it.each([
    [
      '0.39.0',
      '0.40.0',
      'kafkas v1beta2 .spec.kafka.listeners[].configuration.bootstrap.labels: x-kubernetes-preserve-unknown-fields lost',
    ],
    ['0.40.0', '0.41.0', 'kafkas v1beta2 .spec.kafka.resources.limits.*: type any → int-or-string'],
    [
      '0.43.0',
      '0.44.0',
      'kafkas v1beta2 .spec.kafka.template.kafkaContainer.env[]: oneOf added ([{"properties":{"value":{}},"required":["value"]},{"properties":{"valueFrom":{}},"required":["valueFrom"]}])',
    ],
    [
      '0.46.1',
      '0.47.0',
      "kafkas v1beta2 .spec.kafka.metricsConfig: validation added (self.type != 'jmxPrometheusExporter' || has(self.valueFrom))",
    ],
    ['0.48.0', '0.49.0', 'kafkas v1beta2 .spec.kafka.template.pod.volumes[].emptyDir.sizeLimit: type object → string'],
    ['0.49.0', '1.2.0', 'kafkas v1beta2: the served version disappears'],
  ])('%s → %s is told as narrower', async (before, after, loss) => {
    expect(await lossesBetween(before, after)).toContain(loss);
  });

  it.each(['0.42.0', '0.43.0'])('a live 0.41.0 with the API server’s defaults loses nothing to %s from YAML', async (after) => {
    for (const crd of await strimzi('0.41.0')) {
      const target = await named(after, crd.spec.names.plural);
      expect(schemaLosses(asServed(crd), target)).toEqual([]);
      expect(schemaLosses(crd, asServed(target))).toEqual([]);
    }
  });

  it('going back from 0.43.0 to 0.41.0 names the status field', async () => {
    expect(schemaLosses(await named('0.43.0', 'kafkas'), await named('0.41.0', 'kafkas'))).toContain(
      'v1beta2 .status.registeredNodeIds: the property disappears',
    );
  });

  it('a cluster that stores v1beta2 cannot take the 1.2.0 CRDs', async () => {
    expect(schemaLosses(asServed(await named('0.49.0', 'kafkas')), await named('1.2.0', 'kafkas'))).toContain(
      'v1beta2: objects are stored in this version (status.storedVersions) and it disappears',
    );
  });

  it.each([
    ['0.41.0', 'v1beta2', ['registeredNodeIds']],
    ['0.42.0', 'v1beta2', ['registeredNodeIds']],
    ['0.43.0', 'v1beta2', []],
    ['0.44.0', 'v1beta2', []],
    ['0.49.0', 'v1', ['registeredNodeIds']],
  ])(
    'kafkas %s %s drops %j of registeredNodeIds, conditions.lastTransitionTime and listeners.addresses.port',
    async (version, api, missing) => {
      const fields = ['registeredNodeIds', 'conditions.lastTransitionTime', 'listeners.addresses.port'];
      expect(missingStatusFields(await named(version, 'kafkas'), api, fields)).toEqual(missing);
    },
  );

  it('autoRebalance.modes came with 0.44.0, clusterSecurity (kept whole) with 1.2.0', async () => {
    expect(missingStatusFields(await named('0.43.0', 'kafkas'), 'v1beta2', ['autoRebalance.modes'])).toEqual(['autoRebalance.modes']);
    expect(missingStatusFields(await named('0.44.0', 'kafkas'), 'v1beta2', ['autoRebalance.modes'])).toEqual([]);
    expect(missingStatusFields(await named('0.49.0', 'kafkas'), 'v1', ['clusterSecurity'])).toEqual(['clusterSecurity']);
    expect(missingStatusFields(await named('1.2.0', 'kafkas'), 'v1', ['clusterSecurity', 'clusterSecurity.anything.below'])).toEqual([]);
  });
});
