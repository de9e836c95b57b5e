import { remediationNames } from '../../infra/remediations.ts';
import { againstAuto, percent } from '../../shared/statistics.ts';
import { openState } from '../store.ts';
import { storeOptions, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'how often each remediation was right, from its incidents: what it planned, and what people and time said to it',
  usage: 'stats [REMEDIATION]',
  examples: ['kubemend stats', 'kubemend stats strimzi/upgrade-stale-crds --json | jq ".records[].precision.low"'],
  options: storeOptions,
  positionals: { least: 0, most: 1 },
  async run(call) {
    const [name] = call.positionals;
    if (name !== undefined && !remediationNames().includes(name))
      throw new UsageError(`There is no remediation "${name}"; there are: ${remediationNames().join(', ')}`);
    const all = await (await openState(call)).statistics();
    const records = all
      .filter(({ remediation }) => name === undefined || remediation === name)
      .map((record) => ({ ...record, enoughForAuto: againstAuto(all, record.remediation, record.namespace) === undefined }));
    if (call.json) call.out(JSON.stringify({ records }));
    else if (records.length === 0) call.out('No remediation came to a plan yet.');
    else {
      call.out(`${'remediation'.padEnd(42)} fired  confirmed  by itself  wrong  open  right`);
      for (const { remediation, namespace, fired, confirmed, byItself, wrong, open, precision, enoughForAuto } of records) {
        const counts = [
          [fired, 5],
          [confirmed, 10],
          [byItself, 10],
          [wrong, 6],
          [open, 5],
        ]
          .map(([value, width]) => `${value}`.padStart(width ?? 0))
          .join(' ');
        const right = precision ? `${percent(precision.value)} (${percent(precision.low)} to ${percent(precision.high)})` : 'not judged';
        call.out(
          `${(namespace === undefined ? remediation : `  in ${namespace}`).padEnd(42)} ${counts}  ${right}${enoughForAuto ? ', enough for auto' : ''}`,
        );
      }
      call.out('confirmed: a person approved or did the same by hand, or the fix helped; wrong: rejected, undone, reverted or of no help');
    }
    return 0;
  },
};
