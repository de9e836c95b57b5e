// The dead letters of the function that tells Slack, where it is configured.
const { notifyFunction } = require('./deployment.ts');
const { onDefaultBus, onOurBus, policyOf, queueOf } = require('./queues.cjs');
const { slack } = require('./settings.cjs');

module.exports = async ({ resolveVariable }) => {
  if (!slack) return { Resources: {} };
  const stage = await resolveVariable('sls:stage');
  const notify = notifyFunction(stage);
  const [onBus, clock] = notify.ruleNames;
  return {
    Resources: {
      [`${notify.logicalId}DeadLetters`]: queueOf(notify),
      [`${notify.logicalId}DeadLettersPolicy`]: policyOf(notify, [onOurBus(onBus), onDefaultBus(clock)]),
    },
  };
};
