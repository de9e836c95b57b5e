import type { Remediation, Right } from '../shared/remediation.ts';
import { allow, arn, inPartitions, type PolicyStatement } from './statements.ts';

/** Every action that changes items, also those that no function is allowed. */
const WRITE = [
  ...['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
  ...['dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate', 'dynamodb:PartiQLDelete'],
];
const WRITING_VERBS: Right['verbs'] = ['create', 'update', 'patch', 'delete'];

/** The kinds that a remediation may write, as leases name them: `kafka.strimzi.io/kafkas`. A stream into a pod is a write to it. */
const writtenKinds = ({ rights }: Remediation): string[] => {
  const kinds = rights.flatMap(({ group, resources, verbs }) =>
    verbs.some((verb) => WRITING_VERBS.includes(verb)) ? resources.map((resource) => `${group}/${resource.split('/')[0]}`) : [],
  );
  return [...new Set(kinds)].filter((kind) => kind !== 'events.k8s.io/events').sort();
};

/**
 * What the function of a remediation may do in the state table (its keys: shared/state/dynamodb.ts). It reads and writes its own incidents and its own
 * spending, and it leases objects of the kinds that it may write. Its failures it may only add: it has no right to delete there, and no attribute
 * that would let one expire.
 */
export function inTable(remediation: Remediation): PolicyStatement[] {
  const { name } = remediation;
  const table = arn('Table');
  const incidents = [`incident/${name}/*`, `id/${name}`];
  const leases = [`lease/incident/${name}/*`, ...writtenKinds(remediation).map((kind) => `lease/target/${kind}/*`)];
  return [
    allow(['dynamodb:GetItem', 'dynamodb:Query'], table, inPartitions([...incidents, 'budget/*', 'breaker/*', 'settings'])),
    allow(['dynamodb:PutItem'], table, inPartitions([...incidents, `budget/${name}`, ...leases])),
    allow(['dynamodb:DeleteItem'], table, inPartitions(leases)),
    allow(['dynamodb:PutItem'], table, {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [`breaker/${name}`], 'dynamodb:Attributes': ['pk', 'sk'] },
      Null: { 'dynamodb:LeadingKeys': 'false', 'dynamodb:Attributes': 'false' },
    }),
    // Whatever else the role is given: what people set, what Slack was sent, and failures that were recorded stay as they are.
    deny(WRITE, ['settings']),
    deny(['dynamodb:*'], ['slack#*', 'lease/slack*']),
    deny(
      WRITE.filter((action) => action !== 'dynamodb:PutItem'),
      ['breaker/*'],
    ),
  ];
}

const deny = (Action: string[], partitions: string[]): PolicyStatement => ({
  ...{ Effect: 'Deny', Action, Resource: arn('Table') },
  Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': partitions } },
});
