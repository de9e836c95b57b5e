import type { Resources } from './template-dead-letters.ts';

/** Where the packaged template is thought to be deployed. */
export const PLACE = { region: 'eu-west-1', account: '123456789012' };

const of = (service: string, rest: unknown): string => `arn:aws:${service}:${PLACE.region}:${PLACE.account}:${rest}`;

/** The ARN that AWS would give to a resource, by its type. */
const ARN: Record<string, (properties: Record<string, unknown>, id: string) => string> = {
  'AWS::DynamoDB::Table': ({ TableName }) => of('dynamodb', `table/${TableName}`),
  'AWS::Events::EventBus': ({ Name }) => of('events', `event-bus/${Name}`),
  'AWS::IAM::Role': (_, id) => `arn:aws:iam::${PLACE.account}:role/${id}`,
  'AWS::Lambda::Function': ({ FunctionName }) => of('lambda', `function:${FunctionName}`),
  'AWS::Logs::LogGroup': ({ LogGroupName }) => of('logs', `log-group:${LogGroupName}:*`),
  'AWS::S3::Bucket': (_, id) => `arn:aws:s3:::kubemend-dev-${id.toLowerCase()}`,
  'AWS::SQS::Queue': ({ QueueName }, id) => of('sqs', QueueName ?? id),
};

/** The ARN of a resource of the template. Throws where there is none. */
export function arnIn(resources: Resources, id: string): string {
  const resource = resources[id];
  const arn = resource && ARN[resource.Type];
  if (!arn) throw new Error(`${id} is no resource with an ARN that test/template-arns.ts knows`);
  return arn(resource.Properties, id);
}

/** A value of the template with the ARNs and names that AWS would put into it. */
export function deployed(resources: Resources, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => deployed(resources, one));
  if (typeof value !== 'object' || value === null) return value;
  const known = (name: string): string => {
    const [id = '', attribute] = name.split('.');
    if (attribute === 'Arn') return arnIn(resources, id);
    const pseudo = { 'AWS::Partition': 'aws', 'AWS::Region': PLACE.region, 'AWS::AccountId': PLACE.account }[name];
    return pseudo ?? `${resources[id]?.Properties.Name ?? id}`;
  };
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Sub'?: string };
  if (reference.Ref !== undefined) return known(reference.Ref);
  if (reference['Fn::GetAtt'] !== undefined) return known(reference['Fn::GetAtt'].join('.'));
  if (reference['Fn::Sub'] !== undefined) return reference['Fn::Sub'].replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known(name));
  const given = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(given.map(([key, one]) => [key, deployed(resources, one)]));
}
