import { matches, type Pattern } from '../events/pattern.ts';
import { type Statement, statementsOf } from './packaged-service.ts';
import type { Resources } from './template-dead-letters.ts';
import { idsIn, resolvedOf } from './template-values.ts';

/** Who puts an event. */
interface Caller {
  arn: string;
  /** What his own role says of it. */
  own: Statement[];
}
type Context = Record<string, string[]>;

/** Who may put facts and outcomes on the bus, decided as IAM decides it, and what of it the archive keeps. One sentence for each thing that is not as docs/aws.md says. */
export function problemsOfBus(resources: Resources, exporters: string[] = []): string[] {
  const policies = resolvedOf<{ Statement: Statement }>(resources, 'AWS::Events::EventBusPolicy').map(([, { Statement: one }]) => one);
  const acting = resolvedOf<{ Role: string; Environment: { Variables: object } }>(resources, 'AWS::Lambda::Function')
    .filter(([, { Environment }]) => 'KUBEMEND_BUS' in Environment.Variables)
    .flatMap(([, { Role }]) => idsIn(Role));
  const problems: string[] = [];
  const expect = (who: string, caller: Caller, source: string, wanted: boolean): void => {
    // In one call: this alone, twice, and together with what it must not be mixed with.
    const other = source === 'kubemend' ? 'kubernetes' : 'kubemend';
    for (const [sources, well] of [
      [[source], wanted],
      [[source, source], wanted],
      [[source, other], false],
    ] as const) {
      const may = mayPut(policies, caller, [...sources]);
      if (may !== well) problems.push(`${who} ${may ? 'may' : 'may not'} put what is of "${sources.join('" and "')}" on the bus`);
    }
  };
  for (const [id, { Policies }] of resolvedOf(resources, 'AWS::IAM::Role')) {
    const caller = { arn: `${id}.Arn`, own: statementsOf(Policies) };
    expect(id, caller, 'kubemend', acting.includes(id));
    expect(id, caller, 'kubernetes', false);
  }
  const admin = { arn: 'admin', own: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: 'Bus.Arn' }] };
  expect('Somebody whose own policies allow it', admin, 'kubemend', false);
  expect('Somebody whose own policies allow it', admin, 'kubernetes', true);
  for (const [arn, wanted] of [...exporters.map((one) => [one, true] as const), ['a stranger', false] as const]) {
    expect(arn, { arn, own: [] }, 'kubernetes', wanted);
    for (const other of ['kubemend', 'else']) expect(arn, { arn, own: [] }, other, false);
  }
  return [...problems, ...problemsOfArchive(resources)];
}

function problemsOfArchive(resources: Resources): string[] {
  const [[id, archive] = [], ...more] = resolvedOf<{ SourceArn: string; EventPattern?: Pattern }>(resources, 'AWS::Events::Archive');
  if (!archive || more.length > 0 || archive.SourceArn !== 'Bus.Arn') return ['The bus has no archive, or several'];
  const { EventPattern } = archive;
  return Object.entries({ kubernetes: true, kubemend: true, 'aws.health': false }).flatMap(([source, wanted]) => {
    const event = { id: 'a', source, 'detail-type': 'Something Happened', time: '2026-01-01T00:00:00Z', detail: {} };
    const keeps = EventPattern === undefined || matches(EventPattern, event);
    return keeps === wanted ? [] : [`${id} ${keeps ? 'keeps' : 'does not keep'} what is of "${source}"`];
  });
}

/** A Deny ends it; else the caller's own policies or that of the bus must allow it. */
function mayPut(policies: Statement[], { arn, own }: Caller, sources: string[]): boolean {
  const context = { 'events:source': sources, 'aws:PrincipalArn': [arn] };
  const applies = ({ Action, Resource, Condition }: Statement): boolean =>
    [Action].flat().includes('events:PutEvents') && [Resource].flat().includes('Bus.Arn') && holds(Condition, context);
  const named = ({ Principal }: Statement): boolean => Principal === '*' || [(Principal as { AWS?: string[] })?.AWS].flat().includes(arn);
  const said = [...own.filter(applies), ...policies.filter((one) => named(one) && applies(one))].map(({ Effect }) => Effect);
  return said.includes('Allow') && !said.includes('Deny');
}

/** Whether all conditions hold. Throws for an operator that is not known here, and for one of a single value where there are several. */
const holds = (condition: unknown, context: Context): boolean =>
  Object.entries((condition ?? {}) as Record<string, Record<string, string | string[]>>).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      const found = context[key] ?? [];
      const isEqual = (one: string): boolean => [values].flat().includes(one);
      if (operator === 'Null') return [values].flat().includes(`${found.length === 0}`);
      if (operator === 'ForAllValues:StringEquals') return found.every(isEqual);
      if (operator === 'ForAnyValue:StringEquals') return found.some(isEqual);
      const [only = ''] = found;
      if (operator === 'ArnNotEquals' && found.length === 1) return !isEqual(only);
      throw new Error(`test/template-bus.ts does not know ${operator}`);
    }),
  );
