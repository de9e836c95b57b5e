// The `functions:` of serverless.yml: one per folder in functions/, its rules made from the definition's `when`.
const { deployedFunctions } = require('./deployment.ts');

/** A fix that comes late is worse than none: neither EventBridge nor Lambda tries longer. */
const HOUR = 3_600;

module.exports = async ({ resolveVariable }) => {
  const deployed = await deployedFunctions(await resolveVariable('sls:stage'));
  return Object.fromEntries(
    deployed.map(({ remediation, key, functionName, ruleNames, logicalId }) => {
      const deadLetters = { 'Fn::GetAtt': [`${logicalId}DeadLetters`, 'Arn'] };
      return [
        key,
        {
          name: functionName,
          description: remediation.title,
          handler: `dist/${remediation.name}/index.handler`,
          package: { patterns: ['!**', `dist/${remediation.name}/index.mjs`, `dist/${remediation.name}/artifacts.json.br`] },
          role: { 'Fn::GetAtt': [`${logicalId}Role`, 'Arn'] },
          reservedConcurrency: 5,
          maximumEventAge: HOUR,
          maximumRetryAttempts: 2,
          destinations: { onFailure: { type: 'sqs', arn: deadLetters } },
          events: remediation.when.map((pattern, index) => ({
            eventBridge: {
              eventBus: { Ref: 'Bus' },
              name: ruleNames[index],
              description: remediation.title,
              pattern,
              retryPolicy: { maximumEventAge: HOUR, maximumRetryAttempts: 5 },
              deadLetterQueueArn: deadLetters,
            },
          })),
        },
      ];
    }),
  );
};
