import { describe, expect, it } from '@jest/globals';
import { asCrd, parseCrds } from './crd.ts';

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'kafkas.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { kind: 'Kafka', plural: 'kafkas' },
    versions: [{ name: 'v1', served: true, storage: true }],
  },
};

describe('parseCrds', () => {
  it('reads many documents, skips empty ones and keeps unknown fields', async () => {
    const yaml = `---\n${JSON.stringify(CRD)}\n---\n---\n${JSON.stringify({ ...CRD, extra: 1 })}\n`;
    expect((await parseCrds(yaml)).map(({ extra }) => extra)).toEqual([undefined, 1]);
  });

  it('refuses anything else', async () => {
    await expect(parseCrds('{kind: Secret, metadata: {name: a}}')).rejects.toThrow('not a CustomResourceDefinition');
    await expect(parseCrds('kind: Secret')).rejects.toThrow('no metadata.name');
    await expect(parseCrds('a: [')).rejects.toThrow('no YAML');
    expect(() => asCrd(undefined)).toThrow('not a CustomResourceDefinition');
  });
});
