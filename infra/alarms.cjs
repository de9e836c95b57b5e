// What somebody should know of, and one page to look at. Every metric is one of AWS or of metrics.ts; test/template-alarms.ts holds them to it.
const { answerFunction, continueFunction, deployedFunctions, notifyFunction } = require('./deployment.ts');
const { alarmTopic, slack } = require('./settings.cjs');

const MINUTE = 60;
const queueName = (id) => ({ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } });

const alarm = (name, description, properties) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    AlarmName: name,
    AlarmDescription: description,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 0,
    EvaluationPeriods: 1,
    TreatMissingData: 'notBreaching',
    ...(alarmTopic && { AlarmActions: [alarmTopic], OKActions: [alarmTopic] }),
    ...properties,
  },
});

const metric = (Namespace, MetricName, Dimensions, Statistic = 'Sum', Period = 5 * MINUTE) => ({
  ...{ Namespace, MetricName, Dimensions, Statistic, Period },
});

/** One number for all remediations: at most ten of them fit into one alarm. */
const summed = (remediations, MetricName, more, Period) => {
  if (remediations.length > 10) throw new Error('An alarm adds ten metrics at most: make one alarm per operator in infra/alarms.cjs');
  const parts = remediations.map(({ remediation }, index) => ({
    Id: `m${index + 1}`,
    ReturnData: false,
    MetricStat: {
      Metric: { Namespace: 'kubemend', MetricName, Dimensions: [{ Name: 'remediation', Value: remediation.name }, ...more] },
      ...{ Period, Stat: 'Sum' },
    },
  }));
  const total = parts.map(({ Id }) => `FILL(${Id}, 0)`).join(' + ');
  return { Metrics: [{ Id: 'total', Expression: total, Label: MetricName, ReturnData: true }, ...parts] };
};

const functionAlarms = ({ logicalId, functionName }) => {
  const dimensions = [{ Name: 'FunctionName', Value: { Ref: `${logicalId}LambdaFunction` } }];
  const twoOfThree = { EvaluationPeriods: 3, DatapointsToAlarm: 2 };
  return {
    [`${logicalId}Errors`]: alarm(`${functionName}-errors`, 'Fails again and again. Its log says why', {
      ...metric('AWS/Lambda', 'Errors', dimensions),
      ...twoOfThree,
    }),
    [`${logicalId}Throttles`]: alarm(
      `${functionName}-throttles`,
      'Is asked more than its reserved concurrency allows, or the account has none left',
      { ...metric('AWS/Lambda', 'Throttles', dimensions), ...twoOfThree },
    ),
  };
};

const deadLettersAlarm = ({ logicalId, functionName }) => ({
  [`${logicalId}DeadLettersAlarm`]: alarm(
    `${functionName}-dead-letters`,
    `Something was given up. Look at it and send it again: kubemend redrive --queue ${functionName}-dead`,
    metric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', [queueName(`${logicalId}DeadLetters`)], 'Maximum'),
  ),
});

const ours = (stage, remediations) => ({
  IncidentsFailed: alarm(
    `kubemend-${stage}-incidents-failed`,
    'A fix stopped half-way. kubemend explain says where: a person decides',
    summed(remediations, 'incidentChanged', [{ Name: 'state', Value: 'failed' }], 5 * MINUTE),
  ),
  IncidentsIneffective: alarm(
    `kubemend-${stage}-incidents-ineffective`,
    'A fix was written and did not help. kubemend explain says what was seen',
    summed(remediations, 'incidentChanged', [{ Name: 'state', Value: 'ineffective' }], 5 * MINUTE),
  ),
  BreakerOpened: alarm(
    `kubemend-${stage}-breaker-opened`,
    'Too many fixes did not help: nothing more is written there until: kubemend resume',
    summed(remediations, 'breakerOpened', [], 60 * MINUTE),
  ),
  LooksFail: alarm(`kubemend-${stage}-looks-fail`, 'Incidents are not continued, again and again: the log of continue-incident says why', {
    ...metric('kubemend', 'notHandedOn', [{ Name: 'function', Value: 'kubemend/continue-incident' }]),
    ...{ EvaluationPeriods: 3, DatapointsToAlarm: 2 },
  }),
  AppointmentsLate: alarm(
    `kubemend-${stage}-appointments-late`,
    'A look is half an hour late (15 minutes may be its delay): incidents are not continued. See the log of continue-incident',
    {
      ...metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', [queueName('Appointments')], 'Maximum'),
      Threshold: 45 * MINUTE,
    },
  ),
  AppointmentsDeadLettersAlarm: alarm(
    `kubemend-${stage}-appointments-dead-letters`,
    `A look was given up after five hours. See kubemend incidents --open; send it again: kubemend redrive --queue kubemend-${stage}-appointments-dead`,
    metric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', [queueName('AppointmentsDeadLetters')], 'Maximum'),
  ),
});

const dashboard = (stage, deployed, queued) => {
  const functions = (name) => deployed.map(({ functionName }) => ['AWS/Lambda', name, 'FunctionName', functionName]);
  const dead = [...queued.map(({ functionName }) => `${functionName}-dead`), `kubemend-${stage}-appointments-dead`];
  const queues = (name, names) => names.map((queue) => ['AWS/SQS', name, 'QueueName', queue]);
  const search = (expression, label) => [[{ expression: `SEARCH('${expression}', 'Sum', 300)`, label, id: label }]];
  const panels = [
    ['Incidents by state', 'Sum', search('{kubemend,remediation,state} MetricName="incidentChanged"', 'incidents')],
    ['Breakers opened', 'Sum', search('{kubemend,remediation} MetricName="breakerOpened"', 'breakers')],
    ['Errors', 'Sum', functions('Errors')],
    ['Throttles', 'Sum', functions('Throttles')],
    ['Milliseconds', 'p99', functions('Duration')],
    ['Dead letters', 'Maximum', queues('ApproximateNumberOfMessagesVisible', dead)],
    ['Age of the oldest look, seconds', 'Maximum', queues('ApproximateAgeOfOldestMessage', [`kubemend-${stage}-appointments`])],
    ['Facts and outcomes that rules matched', 'Sum', [['AWS/Events', 'MatchedEvents', 'EventBusName', `kubemend-${stage}`]]],
  ];
  const widgets = panels.map(([title, stat, metrics], index) => ({
    ...{ type: 'metric', x: (index % 2) * 12, y: Math.floor(index / 2) * 6, width: 12, height: 6 },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
    properties: { title, stat, metrics, region: '${AWS::Region}', period: 300, view: 'timeSeries' },
  }));
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardName: `kubemend-${stage}`, DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets }) } },
  };
};

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const remediations = await deployedFunctions(stage);
  const queued = [...remediations, continueFunction(stage), ...(slack ? [notifyFunction(stage)] : [])];
  // Asked by its URL alone: nothing waits for it in a queue.
  const deployed = [...queued, ...(slack?.answers ? [answerFunction(stage)] : [])];
  return {
    Resources: {
      ...Object.assign({}, ...deployed.map(functionAlarms), ...queued.map(deadLettersAlarm)),
      ...ours(stage, remediations),
      Dashboard: dashboard(stage, deployed, queued),
    },
  };
};
