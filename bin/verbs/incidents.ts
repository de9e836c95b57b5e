import { hasEnded } from '../../shared/incident.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import { summary } from '../../shared/public-record.ts';
import { paint, paintState } from '../paint.ts';
import { openState } from '../store.ts';
import { stateOption, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'list incidents, newest first',
  usage: 'incidents [--open] [--json]',
  examples: ['kubemend incidents', 'kubemend incidents --open --json | jq ".incidents[].id"'],
  options: { ...stateOption, open: { type: 'boolean', help: 'only those that have not ended' } },
  positionals: { least: 0, most: 0 },
  async run(call) {
    const all = await openState(call).list();
    const incidents = call.values.open ? all.filter(({ state }) => !hasEnded(state)) : all;
    if (call.json) call.out(JSON.stringify({ incidents: incidents.map(summary) }));
    else if (incidents.length === 0) call.out('No incidents.');
    else {
      for (const { id, state, updatedAt, remediation, object, because } of incidents) {
        const time = new Date(updatedAt).toISOString().slice(0, 19).replace('T', ' ');
        call.out(`${paint('bold', id)}  ${time}  ${paintState(state, 18)} ${nameOf(object)}  ${paint('dim', remediation)}`);
        call.out(`              ${because}`);
      }
    }
    return 0;
  },
};
