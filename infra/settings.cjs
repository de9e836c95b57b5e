// What the one who deploys gives: the one place of the templates that reads the environment.
const { KUBEMEND_CLUSTERS, KUBEMEND_LIMITS, KUBEMEND_KMS_KEY, KUBEMEND_ALARM_TOPIC, KUBEMEND_EXPORTERS } = process.env;

const { slackSettings } = require('./slack-settings.ts');

module.exports = {
  /** By name, see lambda/clusters.ts. A function never acts on a cluster that is not in it. */
  clusters: JSON.parse(KUBEMEND_CLUSTERS || '{}'),
  /** By remediation, see lambda/limits.ts. */
  limits: JSON.parse(KUBEMEND_LIMITS || '{}'),
  /** ARN of a key for table, bucket, queue of appointments, bus and archive; without it they have keys of AWS. */
  key: KUBEMEND_KMS_KEY || undefined,
  /** ARN of the SNS topic that alarms go to; without it they are only shown. */
  alarmTopic: KUBEMEND_ALARM_TOPIC || undefined,
  /** Where Slack is, see slack-settings.ts; undefined: no functions of Slack. */
  slack: slackSettings(process.env),
  /** ARNs of the exporters' roles in other accounts, by comma: they may put facts on the bus. */
  exporters: (KUBEMEND_EXPORTERS || '').split(',').filter(Boolean),
};
