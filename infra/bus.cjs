// The bus between exporters and functions; facts come as `kubernetes`, outcomes as `kubemend`. What was on it is kept for a month, to be replayed.
const { rolePolicies } = require('./policies.ts');
const { exporters, key } = require('./settings.cjs');
const { fromSource } = require('./statements.ts');

const DAYS = 30;
const arn = (resource) => ({ 'Fn::GetAtt': [resource, 'Arn'] });
const policy = (StatementId, statement) => ({
  Type: 'AWS::Events::EventBusPolicy',
  Properties: {
    EventBusName: { Ref: 'Bus' },
    StatementId,
    Statement: { ...statement, Action: 'events:PutEvents', Resource: arn('Bus') },
  },
});

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const roles = (await rolePolicies(stage)).filter(({ remediation }) => remediation).map(({ role }) => arn(role));
  return {
    Resources: {
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: `kubemend-${stage}`, ...(key && { KmsKeyIdentifier: key }) } },
      // Nobody else in the account tells an outcome, whatever his own policies allow.
      OnlyFunctionsTellOutcomes: policy('only-functions-tell-outcomes', {
        Effect: 'Deny',
        Principal: '*',
        Condition: { 'ForAnyValue:StringEquals': { 'events:source': 'kubemend' }, ArnNotEquals: { 'aws:PrincipalArn': roles } },
      }),
      ...(exporters.length > 0 && {
        ExportersPutFacts: policy('exporters-put-facts', {
          Effect: 'Allow',
          Principal: { AWS: exporters },
          Condition: fromSource('kubernetes'),
        }),
      }),
      BusArchive: {
        Type: 'AWS::Events::Archive',
        Properties: {
          ArchiveName: `kubemend-${stage}`,
          Description: 'Facts and outcomes; what is replayed is looked at in shadow',
          SourceArn: arn('Bus'),
          RetentionDays: DAYS,
          EventPattern: { source: ['kubernetes', 'kubemend'] },
          ...(key && { KmsKeyIdentifier: key }),
        },
      },
    },
    Outputs: {
      BusArn: {
        Description: 'Where exporters send facts; grant them events:PutEvents for events:source = kubernetes, see docs/exporter.md',
        Value: arn('Bus'),
      },
    },
  };
};
