import { matches, type Pattern } from '../events/pattern.ts';
import { type Caller, isAllowed } from './aws/access.ts';
import { type Statement, statementsOf } from './packaged-service.ts';
import { arnIn, deployed, PLACE } from './template-arns.ts';
import type { Resources } from './template-dead-letters.ts';
import { idsIn, resolvedOf } from './template-values.ts';

/** Who may put facts and outcomes on the bus, decided as IAM decides it, and what of it the archive keeps. One sentence for each thing that is not as docs/aws.md says. */
export async function problemsOfBus(resources: Resources, exporters: string[] = []): Promise<string[]> {
  const bus = arnIn(resources, 'Bus');
  const policies = Object.values(resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Events::EventBusPolicy' ? [deployed(resources, Properties.Statement) as Statement] : [],
  );
  const acting = resolvedOf<{ Role: string; Environment: { Variables: object } }>(resources, 'AWS::Lambda::Function')
    .filter(([, { Environment }]) => 'KUBEMEND_BUS' in Environment.Variables)
    .flatMap(([, { Role }]) => idsIn(Role));
  const problems: string[] = [];
  const expect = async (who: string, caller: Caller, source: string, wanted: boolean): Promise<void> => {
    // In one call: this alone, twice, and together with what it must not be mixed with.
    const other = source === 'kubemend' ? 'kubernetes' : 'kubemend';
    for (const [sources, well] of [
      [[source], wanted],
      [[source, source], wanted],
      [[source, other], false],
    ] as const) {
      const may = await isAllowed(
        caller,
        { action: 'events:PutEvents', resource: bus, context: { 'events:source': [...sources] } },
        policies,
      );
      if (may !== well) problems.push(`${who} ${may ? 'may' : 'may not'} put what is of "${sources.join('" and "')}" on the bus`);
    }
  };
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (Type !== 'AWS::IAM::Role') continue;
    const caller = { arn: arnIn(resources, id), statements: deployed(resources, statementsOf(Properties.Policies)) as Statement[] };
    await expect(id, caller, 'kubemend', acting.includes(id));
    await expect(id, caller, 'kubernetes', false);
  }
  const anything = [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus }];
  const admin = { arn: `arn:aws:iam::${PLACE.account}:role/admin`, statements: anything };
  await expect('Somebody whose own policies allow it', admin, 'kubemend', false);
  await expect('Somebody whose own policies allow it', admin, 'kubernetes', true);
  for (const [arn, wanted] of [
    ...exporters.map((one) => [one, true] as const),
    ['arn:aws:iam::999999999999:role/a-stranger', false] as const,
  ]) {
    // From another account, both its own policies and those of the bus have to allow it.
    await expect(arn, { arn, statements: anything }, 'kubernetes', wanted);
    await expect(`${arn} without a policy of its own`, { arn, statements: [] }, 'kubernetes', false);
    for (const other of ['kubemend', 'else']) await expect(arn, { arn, statements: anything }, other, false);
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
