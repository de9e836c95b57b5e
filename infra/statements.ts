import type { DeployedName } from './deployment.ts';

/** One statement of an IAM policy, its resources as CloudFormation names them. */
export interface PolicyStatement {
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/**
 * Only these partitions of the table, each by its name or up to a `*`. A request always names its partitions, but the condition is also true
 * of none, hence the second one.
 */
export const inPartitions = (names: string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': names },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});

/** The ARN of a resource of the template. */
export const arn = (resource: string) => ({ 'Fn::GetAtt': [resource, 'Arn'] });
/** A statement that allows. */
export const allow = (Action: string[], Resource: unknown, Condition?: PolicyStatement['Condition']): PolicyStatement => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...(Condition && { Condition }),
});
/** Use of the key of our own, where there is one. */
export const forKey = (key: string | undefined) => (key ? [allow(['kms:Decrypt', 'kms:GenerateDataKey'], key)] : []);

/** The Arn of a log group ends in `:*`: it names the streams in this group. */
export const logs = ({ logicalId }: DeployedName) => allow(['logs:CreateLogStream', 'logs:PutLogEvents'], arn(`${logicalId}LogGroup`));
/** What it could not do. */
export const deadLetters = ({ logicalId }: DeployedName) => allow(['sqs:SendMessage'], arn(`${logicalId}DeadLetters`));

/** Events of one source alone: a call holds up to ten, so the key has many values, and `StringEquals` of many is not what it says. */
export const fromSource = (source: string) => ({
  'ForAllValues:StringEquals': { 'events:source': source },
  Null: { 'events:source': 'false' },
});

/** To have addresses in subnets: Lambda asks with the function's role and for no resource, so the one wildcard there is. The function's own code is denied all of it. */
export const inNetwork = ({ functionName }: DeployedName): PolicyStatement[] => {
  const actions = ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface'];
  const Action = [...actions, 'AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses'].map((action) => `ec2:${action}`);
  const self = { 'Fn::Sub': `arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${functionName}` };
  return [allow(Action, '*'), { Effect: 'Deny', Action, Resource: '*', Condition: { ArnEquals: { 'lambda:SourceFunctionArn': self } } }];
};
