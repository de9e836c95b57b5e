import { describe, expect, it } from '@jest/globals';
import { INCIDENT_CHANGED } from '../events/incident-changed.ts';
import { cfnLint } from './aws/cfn-lint.ts';
import { attributeOf, codeOf, isCode, type PackagedService, statementsOf } from './packaged-service.ts';
import { ANSWER, NOTIFY } from './packaged-slack.ts';
import { problemsOfTemplate } from './template-problems.ts';
import { isAsPrinted, keyOf } from './template-roles.ts';

/** The secrets that the deployment under test was given. */
export const secretArn = (name: string): string => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kubemend/slack/${name}-AbCd12`;

const OWN = { notify: 'KubemendDashnotifyDashslack', answer: 'KubemendDashanswerDashslack' };

/** The tests of what Slack adds to the packaged template. */
export function describeSlackTemplate(packaged: () => PackagedService, settings: Record<string, string>): void {
  describe('the template with Slack', () => {
    const lambda = (name: string) =>
      packaged()
        .ofType('AWS::Lambda::Function')
        .find(([, { FunctionName }]) => FunctionName === `kubemend-dev-${keyOf(name)}`)?.[1];
    const variables = (name: string) => (lambda(name)?.Environment as { Variables: object } | undefined)?.Variables ?? {};
    const granted = (id: string) =>
      statementsOf(packaged().resources[`${id}Role`]?.Properties.Policies).map(({ Action, Resource, Condition }) => [
        Action,
        typeof Resource === 'string' ? Resource : ((Resource as Record<string, string>)['Fn::Sub'] ?? attributeOf(Resource)),
        ...(Condition ? [Condition] : []),
      ]);
    const within = (names: string[]) => ({
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': names },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });

    it('hears of every change of an incident, and of every minute, for an hour at most and with dead letters', async () => {
      const rules = packaged()
        .ofType('AWS::Events::Rule')
        .filter(([, { Targets }]) => JSON.stringify(Targets).includes(`"${OWN.notify}Lambda`));
      expect(
        rules.map(([, { EventPattern, EventBusName, ScheduleExpression }]) => [EventPattern ?? ScheduleExpression, EventBusName]),
      ).toEqual([
        [{ source: ['kubemend'], 'detail-type': [INCIDENT_CHANGED] }, { Ref: 'Bus' }],
        ['rate(1 minute)', undefined],
      ]);
      expect(await problemsOfTemplate(packaged().resources)).toEqual([]);
      const configs = packaged()
        .ofType('AWS::Lambda::EventInvokeConfig')
        .map(([, config]) => config);
      const own = configs.find(({ FunctionName }) => (FunctionName as { Ref: string }).Ref === `${OWN.notify}LambdaFunction`);
      expect(own).toMatchObject({ MaximumEventAgeInSeconds: 3_600, DestinationConfig: { OnFailure: expect.anything() } });
    });

    it('has one address, which Slack can reach, of the function that takes clicks', () => {
      const [[, url] = [], ...others] = packaged().ofType('AWS::Lambda::Url');
      expect([url?.AuthType, attributeOf(url?.TargetFunctionArn), others]).toEqual(['NONE', `${OWN.answer}LambdaFunction`, []]);
      const open = packaged()
        .ofType('AWS::Lambda::Permission')
        .filter(([, { Principal }]) => Principal === '*');
      expect(open.map(([, { FunctionName }]) => attributeOf(FunctionName))).toEqual(Array(2).fill(`${OWN.answer}LambdaFunction`));
      expect(open.map(([, { FunctionUrlAuthType, InvokedViaFunctionUrl }]) => FunctionUrlAuthType ?? InvokedViaFunctionUrl)).toEqual([
        'NONE',
        true,
      ]);
      expect(lambda(ANSWER)).toMatchObject({ ReservedConcurrentExecutions: 5, Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    });

    it('gives the one that tells the token and its own partitions, and nothing else', () => {
      expect(granted(OWN.notify)).toEqual([
        [['logs:CreateLogStream', 'logs:PutLogEvents'], `${OWN.notify}LogGroup`],
        [['sqs:SendMessage'], `${OWN.notify}DeadLetters`],
        [
          ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
          'Table',
          within(['slack#letters', 'slack#pending', 'slack#settings', 'lease/slack/sender']),
        ],
        [['dynamodb:Query'], `\${Table.Arn}/index/by-update`],
        [['secretsmanager:GetSecretValue'], secretArn('token')],
      ]);
    });

    it('gives the one on the internet the signing secret, incidents and their queue: no token, no mode, no cluster, no function', () => {
      expect(granted(OWN.answer)).toEqual([
        [['logs:CreateLogStream', 'logs:PutLogEvents'], `${OWN.answer}LogGroup`],
        [['dynamodb:GetItem', 'dynamodb:Query'], 'Table', within(['incident/*', 'id/*', 'settings'])],
        [['dynamodb:PutItem'], 'Table', within(['incident/*', 'id/*', 'lease/slack-request/*'])],
        [['sqs:SendMessage'], 'Appointments'],
        [['secretsmanager:GetSecretValue'], secretArn('signing')],
      ]);
      expect(JSON.stringify(variables(ANSWER))).not.toContain('token');
      expect(Object.keys(variables(NOTIFY))).toEqual(['KUBEMEND_TABLE', 'KUBEMEND_SLACK_CHANNEL', 'KUBEMEND_SLACK_TOKEN_ARN']);
    });

    it('grants what `kubemend rights --aws` prints with the same variables', () => isAsPrinted(packaged(), settings));

    it('has alarms on errors and throttles of both, and on the dead letters of the one that has a queue', () => {
      const alarms = packaged()
        .ofType('AWS::CloudWatch::Alarm')
        .map(([id]) => id);
      const kinds = (own: string) => ['Errors', 'Throttles', 'DeadLettersAlarm'].filter((kind) => alarms.includes(`${own}${kind}`));
      expect(kinds(OWN.notify)).toEqual(['Errors', 'Throttles', 'DeadLettersAlarm']);
      expect(kinds(OWN.answer)).toEqual(['Errors', 'Throttles']);
    });

    it.each([NOTIFY, ANSWER])('packs %s as one bundle of 800 KB at most', (name) => {
      const files = packaged().archive(keyOf(name));
      expect([...files.keys()].filter((file) => !isCode(file))).toEqual([]);
      expect(codeOf(files)).toBeLessThanOrEqual(800_000);
    });

    it('is what cfn-lint takes for CloudFormation', async () => {
      expect(await cfnLint(packaged().template)).toBe('');
    }, 180_000);
  });
}
