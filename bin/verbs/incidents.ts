import { hasEnded, wasFailure } from '../../shared/incident.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import { summary } from '../../shared/public-record.ts';
import { paint, paintState } from '../paint.ts';
import { openState } from '../store.ts';
import { storeOptions, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'list incidents, newest first',
  usage: 'incidents [--open] [--all] [--json]',
  examples: ['kubemend incidents', 'kubemend incidents --open --json | jq ".incidents[].id"'],
  options: {
    ...storeOptions,
    open: { type: 'boolean', help: 'only those that have not ended' },
    all: { type: 'boolean', help: 'also what was looked at and is no failure' },
  },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const all = await (await openState(call)).list();
    const shown = call.values.all ? all : all.filter(wasFailure);
    const incidents = call.values.open ? shown.filter(({ state }) => !hasEnded(state)) : shown;
    if (call.json) call.out(JSON.stringify({ incidents: incidents.map(summary) }));
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
    }
    return 0;
  },
};
