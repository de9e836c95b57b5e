import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseCrds } from '../kubernetes/crd.ts';
import { DirectoryArtifacts } from './directory.ts';

const shipped = join(import.meta.dirname, '../../artifacts');
const artifacts = new DirectoryArtifacts({ directory: join(tmpdir(), 'kubemend-no-such-directory'), shipped });
const files = readdirSync(join(shipped, 'strimzi')).map((file) => `strimzi/${file.replace(/\.yaml\.gz$/, '')}`);
const pluralsUntil045 =
  'kafkabridges kafkaconnectors kafkaconnects kafkamirrormaker2s kafkamirrormakers kafkanodepools kafkarebalances kafkas kafkatopics kafkausers strimzipodsets';

describe('the artifacts that come with kubemend', () => {
  it('are all pinned, and nothing else is', async () => {
    expect((await artifacts.list('')).sort()).toEqual(files.sort());
  });

  it.each(files)('%s has its pinned hash, a source and all of the release’s CRDs', async (name) => {
    const crds = await parseCrds(await artifacts.get(name));
    const plurals = pluralsUntil045.split(' ').filter((plural) => plural !== 'kafkamirrormakers' || /\/0\.(3|4[0-5])/.test(name));
    expect(crds.map(({ spec }) => spec.names.plural).sort()).toEqual(plurals);
    for (const { metadata, status } of crds) {
      expect(metadata.labels).toEqual({ app: 'strimzi', 'strimzi.io/crd-install': 'true' });
      expect(status).toBeUndefined();
    }
    expect((await artifacts.describe(name))?.source).toContain('io.strimzi:api:');
  });

  it('are gzipped without a time stamp, below 3 MB in all', () => {
    const bytes = files.map((name) => readFileSync(join(shipped, `${name}.yaml.gz`)));
    for (const content of bytes) expect(content.readUInt32LE(4)).toBe(0);
    expect(files.map((name) => statSync(join(shipped, `${name}.yaml.gz`)).size).reduce((sum, size) => sum + size)).toBeLessThan(3e6);
  });
});
