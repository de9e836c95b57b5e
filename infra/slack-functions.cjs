// The functions of Slack, where it is configured (slack-settings.ts): one that tells, one that takes clicks. None of them knows a cluster.
const { answerFunction, notifyFunction } = require('./deployment.ts');
const { slack } = require('./settings.cjs');

const NOTIFY = 'kubemend/notify-slack';
const ANSWER = 'kubemend/answer-slack';

const bundled = (name) => ({ handler: `dist/${name}/index.handler`, package: { patterns: ['!**', `dist/${name}/*.mjs`] } });

const notifying = (deployed, { channel, token, api }, { common, retried }) => ({
  ...common(deployed),
  ...bundled(NOTIFY),
  description: 'Tell Slack what happens to incidents',
  memorySize: 256,
  reservedConcurrency: 5,
  environment: {
    KUBEMEND_TABLE: { Ref: 'Table' },
    KUBEMEND_SLACK_CHANNEL: channel,
    KUBEMEND_SLACK_TOKEN_ARN: token,
    ...(api && { KUBEMEND_SLACK_API: api }),
  },
  events: [
    {
      eventBridge: {
        eventBus: { Ref: 'Bus' },
        name: deployed.ruleNames[0],
        description: 'Tell Slack what happens to incidents',
        pattern: { source: ['kubemend'], 'detail-type': ['Incident Changed'] },
        ...retried(deployed),
      },
    },
    {
      eventBridge: {
        name: deployed.ruleNames[1],
        description: 'Tell Slack what it was not told: it was away, or the event got lost',
        schedule: 'rate(1 minute)',
        ...retried(deployed),
      },
    },
  ],
});

/** Invoked by its URL alone: nothing is queued, so nothing can be left in a dead-letter queue. */
const answering = ({ functionName, logicalId }, { signingSecret, approvers }) => ({
  ...bundled(ANSWER),
  name: functionName,
  role: { 'Fn::GetAtt': [`${logicalId}Role`, 'Arn'] },
  description: 'Take what people decide in Slack',
  // It answers after 2.5 s at the latest.
  timeout: 10,
  // Anybody on the internet can call it: this is what it can cost. The CPU of its memory makes a cold start fit into Slack's 3 s.
  reservedConcurrency: 5,
  memorySize: 1024,
  // Slack signs its requests and has no IAM: the function itself checks each one.
  url: true,
  environment: {
    KUBEMEND_TABLE: { Ref: 'Table' },
    KUBEMEND_QUEUE: { Ref: 'Appointments' },
    KUBEMEND_SLACK_SIGNING_SECRET_ARN: signingSecret,
    KUBEMEND_SLACK_APPROVERS: approvers,
  },
});

/** As entries of `functions:`; none without Slack. */
const slackFunctions = (stage, conventions) => {
  const [notify, answer] = [notifyFunction(stage), answerFunction(stage)];
  return [
    ...(slack ? [[notify.key, notifying(notify, slack, conventions)]] : []),
    ...(slack?.answers ? [[answer.key, answering(answer, slack.answers)]] : []),
  ];
};

module.exports = { slackFunctions };
