import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { deploymentSettings, NO_SETTINGS } from './deployment-settings.ts';

const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const clusters = JSON.stringify({
  east: { server: 'https://east', ca, eks: { cluster: 'east', region: 'eu-west-1' } },
  west: { server: 'https://west', ca, tokenSecret: 'kubemend/west' },
});

describe('the settings of a deployment', () => {
  it('are none by themselves, also where a variable is empty', () => {
    expect(deploymentSettings({})).toEqual(NO_SETTINGS);
    expect(deploymentSettings({ KUBEMEND_CLUSTERS: '', KUBEMEND_LIMITS: ' ', KUBEMEND_SUBNETS: '' })).toEqual(NO_SETTINGS);
  });

  it('take the clusters as JSON and as a file with it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kubemend-settings-'));
    const file = join(folder, 'clusters.json');
    await writeFile(file, clusters);
    const [text, read] = [clusters, file].map((KUBEMEND_CLUSTERS) => deploymentSettings({ KUBEMEND_CLUSTERS }));
    await rm(folder, { recursive: true });
    expect(read).toEqual(text);
    expect(text).toMatchObject({ clusters, tokenSecrets: ['kubemend/west'] });
  });

  it('take a network, limits, a key, a topic and exporters', () => {
    const exporters = ['arn:aws:iam::210987654321:role/a', 'arn:aws:iam::210987654321:role/b'];
    const found = deploymentSettings({
      ...{
        KUBEMEND_SUBNETS: 'subnet-0a000001, subnet-0a000002',
        KUBEMEND_SECURITY_GROUPS: 'sg-0b000001',
        KUBEMEND_EXPORTERS: exporters.join(','),
      },
      KUBEMEND_LIMITS: '{"strimzi/upgrade-stale-crds": {"stableFor": "60s"}}',
    });
    expect(found).toEqual({
      ...{ ...NO_SETTINGS, exporters, limits: { 'strimzi/upgrade-stale-crds': '{"stableFor":"60s"}' } },
      network: { subnetIds: ['subnet-0a000001', 'subnet-0a000002'], securityGroupIds: ['sg-0b000001'] },
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ['a file that is not there', { KUBEMEND_CLUSTERS: 'clusters.jsn' }, 'neither JSON nor a file with it: ENOENT'],
    [
      'a cluster without a credential',
      { KUBEMEND_CLUSTERS: JSON.stringify({ a: { server: 'https://a', ca } }) },
      'needs exactly one of eks',
    ],
    ['limits that are no JSON', { KUBEMEND_LIMITS: '{' }, 'KUBEMEND_LIMITS is no JSON object'],
    ['limits of nothing', { KUBEMEND_LIMITS: '{"strimzi/x": {}}' }, '"strimzi/x", which is no remediation; there are: kube'],
    ['a limit that there is not', { KUBEMEND_LIMITS: '{"strimzi/upgrade-stale-crds": {"stable": 1}}' }, 'stable'],
    ['subnets alone', { KUBEMEND_SUBNETS: 'subnet-0a000001' }, 'needs KUBEMEND_SECURITY_GROUPS too'],
    ['security groups alone', { KUBEMEND_SECURITY_GROUPS: 'sg-0b000001' }, 'needs KUBEMEND_SUBNETS too'],
    ['what is no subnet', { KUBEMEND_SUBNETS: 'vpc-1', KUBEMEND_SECURITY_GROUPS: 'sg-0b000001' }, '"vpc-1" is not the id of a subnet'],
    ['an alias of a key', { KUBEMEND_KMS_KEY: 'alias/kubemend' }, '"alias/kubemend" is not the ARN of a key'],
    ['everybody as an exporter', { KUBEMEND_EXPORTERS: '*' }, '"*" is not the ARN of a role'],
    ['every role as an exporter', { KUBEMEND_EXPORTERS: 'arn:aws:iam::210987654321:role/*' }, 'is not the ARN of a role'],
    [
      'every secret as the token of a cluster',
      { KUBEMEND_CLUSTERS: JSON.stringify({ a: { server: 'https://a', ca, tokenSecret: 'kubemend/*' } }) },
      '"kubemend/*" cannot name a secret',
    ],
  ])('refuse %s', (_, variables, because) => expect(() => deploymentSettings(variables)).toThrow(because));
});
