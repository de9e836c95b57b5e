import type { Resources } from './template-dead-letters.ts';

/** A value as CloudFormation would resolve it, made up: `Ref` of `Table` is `Table`, its `Arn` is `Table.Arn`. Throws for a resource that the template has not. */
export function resolve(resources: Resources, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(resources, one));
  if (typeof value !== 'object' || value === null) return value;
  const known = (name: string): string => {
    const id = name.split('.')[0] ?? name;
    if (!id.startsWith('AWS::') && !(id in resources)) throw new Error(`${name} is no resource of the template`);
    return name;
  };
  const {
    Ref: reference,
    'Fn::GetAtt': attribute,
    'Fn::Sub': text,
  } = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Sub'?: string };
  if (reference !== undefined) return known(reference);
  if (attribute !== undefined) return known(attribute.join('.'));
  if (text !== undefined) return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => known(name));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolve(resources, one)]));
}

/** The logical ids that resolved values begin with: of `Table.Arn/index/by-update` it is `Table`. */
export const idsIn = (resolved: unknown): string[] => [resolved].flat().map((one) => /^\w+/.exec(`${one}`)?.[0] ?? '');

/** The resources of one type, resolved, by logical id. */
export const resolvedOf = <T = Record<string, unknown>>(resources: Resources, type: string): [id: string, properties: T][] =>
  Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, resolve(resources, Properties) as T]] : []));
