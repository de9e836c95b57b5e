import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Remediation } from '../shared/remediation.ts';
import { cfnLint } from './aws/cfn-lint.ts';
import { type PackagedService, packageAgain, type Statement, statementsOf } from './packaged-service.ts';
import { describeMutations } from './template-mutations.ts';
import { problemsOfTemplate } from './template-problems.ts';
import { isAsPrinted } from './template-roles.ts';

const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
/** More than the 4 KB that Lambda takes as environment. */
const CLUSTERS = Object.fromEntries(
  ['prod', ...Array.from({ length: 40 }, (_, index) => `c${index}`)].map((name) => [
    name,
    {
      server: `https://${name}.example.com`,
      ca,
      ...(name === 'prod' ? { tokenSecret: 'kubemend/prod' } : { eks: { cluster: name, region: 'eu-west-1' } }),
    },
  ]),
);

/** Lambda may make its network interfaces, the function's own code may not. */
function networked({ resources }: PackagedService, id: string, functionName: string): void {
  const role = resources[id.replace('LambdaFunction', 'Role')]?.Properties;
  const [allowed, denied, ...more] = statementsOf(role?.Policies).filter(({ Action }) => `${Action}`.includes('ec2:')) as [
    Statement,
    Statement,
  ];
  expect([allowed.Effect, denied.Effect, more.length]).toEqual(['Allow', 'Deny', 0]);
  expect(denied.Action).toEqual(allowed.Action);
  expect(JSON.stringify(denied.Condition)).toContain(`lambda:SourceFunctionArn":{"Fn::Sub":"arn:$`);
  expect(JSON.stringify(denied.Condition)).toContain(`:function:${functionName}"`);
}

const [key, exporter] = [
  'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555',
  'arn:aws:iam::210987654321:role/exporter',
];
const secretOf = (name: string): string => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/slack/${name}-AbCd12`;
const EVERYTHING = {
  ...{ KUBEMEND_KMS_KEY: key, KUBEMEND_ALARM_TOPIC: 'arn:aws:sns:eu-west-1:123456789012:ops', KUBEMEND_EXPORTERS: exporter },
  KUBEMEND_LIMITS: JSON.stringify({ 'strimzi/upgrade-stale-crds': { stableFor: '60s' } }),
  KUBEMEND_CLUSTERS: JSON.stringify(CLUSTERS),
  ...{ KUBEMEND_SUBNETS: 'subnet-0a000001,subnet-0a000002', KUBEMEND_SECURITY_GROUPS: 'sg-0b000001' },
  ...{ KUBEMEND_SLACK_CHANNEL: 'C0MEND0001', KUBEMEND_SLACK_APPROVERS: 'U0ADA00001' },
  ...{ KUBEMEND_SLACK_TOKEN_ARN: secretOf('token'), KUBEMEND_SLACK_SIGNING_SECRET_ARN: secretOf('signing') },
};

/** The tests that the template is CloudFormation, without and with every setting a deployment has. */
export function describeSettings(
  given: () => { service: PackagedService; folder: string; path: string; remediations: Remediation[] },
): void {
  it('is what cfn-lint takes for CloudFormation', async () => {
    expect(await cfnLint(given().service.template)).toBe('');
  }, 180_000);

  describe('with a key, a topic, exporters, limits, a network, clusters and Slack', () => {
    let again: PackagedService;
    beforeAll(async () => {
      again = await packageAgain(given().folder, given().path, EVERYTHING);
    }, 600_000);

    it('is still CloudFormation', async () => {
      expect(await cfnLint(again.template)).toBe('');
    }, 180_000);

    it('has no problem either, and its roles are what `kubemend rights --aws` prints with the same', async () => {
      expect(await problemsOfTemplate(again.resources, { key, exporters: [exporter] })).toEqual([]);
      await isAsPrinted(again, EVERYTHING);
    });

    it('passes each of them on', () => {
      const { remediations } = given();
      expect(again.ofType('AWS::CloudWatch::Alarm').filter(([, { AlarmActions }]) => AlarmActions === undefined)).toEqual([]);
      const variables = again
        .ofType('AWS::Lambda::Function')
        .map(([, { Environment }]) => (Environment as { Variables: Record<string, unknown> }).Variables);
      expect(variables.flatMap(({ KUBEMEND_LIMITS }) => KUBEMEND_LIMITS ?? [])).toEqual(['{"stableFor":"60s"}']);
      const secret = 'arn:$' + '{AWS::Partition}:secretsmanager:$' + '{AWS::Region}:$' + '{AWS::AccountId}:secret:kubemend/prod-??????';
      expect(JSON.stringify(again.resources).split(JSON.stringify(secret))).toHaveLength(remediations.length + 1);
      const acting = again.ofType('AWS::Lambda::Function').filter(([, { VpcConfig }]) => VpcConfig !== undefined);
      expect(acting.map(([, { VpcConfig }]) => VpcConfig)).toEqual(
        remediations.map(() => ({ SubnetIds: ['subnet-0a000001', 'subnet-0a000002'], SecurityGroupIds: ['sg-0b000001'] })),
      );
      for (const [id, { FunctionName }] of acting) networked(again, id, `${FunctionName}`);
      for (const { name } of remediations) {
        const packed = again.archive(name.replace('/', '-')).get(`dist/${name}/clusters.json`)?.toString() ?? '';
        expect(JSON.parse(packed)).toEqual(CLUSTERS);
      }
    });

    describeMutations(() => ({ resources: again.resources, key, exporters: [exporter] }));
  });
}
