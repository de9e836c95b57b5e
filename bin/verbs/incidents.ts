import { nameOf } from '../../shared/kubernetes/object.ts';
import { summary } from '../../shared/public-record.ts';
import { paint, paintState } from '../paint.ts';
import { openState } from '../store.ts';
import { type Call, storeOptions, text, UsageError, type Verb } from '../verb.ts';

const LIMIT = 100;

export const verb: Verb = {
  summary: 'list incidents, newest first',
  usage: 'incidents [--open] [--limit N] [--all] [--json]',
  examples: ['kubemend incidents', 'kubemend incidents --open --json | jq ".incidents[].id"'],
  options: {
    ...storeOptions,
    open: { type: 'boolean', help: 'only those that have not ended' },
    limit: { type: 'string', help: `at most so many, the newest (default: ${LIMIT})` },
    all: { type: 'boolean', help: 'every incident, and every suspicion that turned out to be no failure' },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const state = await openState(call);
    const limit = limitOf(call);
    const filter = { open: call.values.open === true, failures: call.values.all !== true };
    const incidents = await state.list({ ...filter, limit });
    const more = incidents.length < limit ? 0 : (await state.count(filter)) - incidents.length;
    if (call.json) call.out(JSON.stringify({ incidents: incidents.map(summary), more }));
    else if (incidents.length === 0) call.out('No incidents.');
    else {
      const several = new Set(incidents.map(({ cluster }) => cluster)).size > 1;
      for (const { id, cluster, state, updatedAt, remediation, object, because } of incidents) {
        const time = new Date(updatedAt).toISOString().slice(0, 19).replace('T', ' ');
        call.out(
          `${paint('bold', id)}  ${time}  ${paintState(state, 18)} ${nameOf(object)}${several ? ` in ${cluster}` : ''}  ${paint('dim', remediation)}`,
        );
        call.out(`              ${because}`);
      }
      if (more > 0) call.out(`${more} older incidents are not shown. Show more with --limit N, or all with --all.`);
    }
    return 0;
  },
};

function limitOf(call: Call): number {
  const given = text(call, 'limit');
  if (given === undefined) return call.values.all ? Number.POSITIVE_INFINITY : LIMIT;
  const limit = Number(given);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError(`--limit must be a positive integer, got ${given}`);
  return limit;
}
