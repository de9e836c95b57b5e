import { expect, it } from '@jest/globals';
import type { Remediation } from '../shared/remediation.ts';
import { cfnLint } from './aws/cfn-lint.ts';
import { type PackagedService, packageAgain } from './packaged-service.ts';

/** The tests that the template is CloudFormation, without and with every setting a deployment has. */
export function describeSettings(
  given: () => { service: PackagedService; folder: string; path: string; remediations: Remediation[] },
): void {
  it('is what cfn-lint takes for CloudFormation', async () => {
    expect(await cfnLint(given().service.template)).toBe('');
  }, 180_000);

  it('takes a key, a topic, exporters, limits and clusters, and is still CloudFormation', async () => {
    const { folder, path, remediations } = given();
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
    const exporter = 'arn:aws:iam::210987654321:role/exporter';
    const settings = {
      ...{ KUBEMEND_KMS_KEY: key, KUBEMEND_ALARM_TOPIC: 'arn:aws:sns:eu-west-1:123456789012:ops', KUBEMEND_EXPORTERS: exporter },
      KUBEMEND_LIMITS: JSON.stringify({ 'strimzi/upgrade-stale-crds': { stableFor: '60s' } }),
      KUBEMEND_CLUSTERS: JSON.stringify({ prod: { server: 'https://prod.example.com', ca: 'x', tokenSecret: 'kubemend/prod' } }),
    };
    const again = await packageAgain(folder, path, settings);
    expect(await cfnLint(again.template)).toBe('');
    const { Bus, BusArchive, ExportersPutFacts } = again.resources;
    expect([Bus?.Properties.KmsKeyIdentifier, BusArchive?.Properties.KmsKeyIdentifier]).toEqual([key, key]);
    expect(ExportersPutFacts?.Properties.Statement).toMatchObject({
      ...{ Effect: 'Allow', Principal: { AWS: [exporter] }, Condition: { StringEquals: { 'events:source': 'kubernetes' } } },
    });
    expect(again.ofType('AWS::CloudWatch::Alarm').filter(([, { AlarmActions }]) => AlarmActions === undefined)).toEqual([]);
    const variables = again
      .ofType('AWS::Lambda::Function')
      .map(([, { Environment }]) => (Environment as { Variables: Record<string, unknown> }).Variables);
    expect(variables.flatMap(({ KUBEMEND_LIMITS }) => KUBEMEND_LIMITS ?? [])).toEqual(['{"stableFor":"60s"}']);
    const secret = 'arn:$' + '{AWS::Partition}:secretsmanager:$' + '{AWS::Region}:$' + '{AWS::AccountId}:secret:kubemend/prod-??????';
    expect(JSON.stringify(again.resources).split(JSON.stringify(secret))).toHaveLength(remediations.length + 1);
  }, 120_000);
}
