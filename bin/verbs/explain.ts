import { loadRemediations } from '../../infra/remediations.ts';
import { entry, summary } from '../../shared/public-record.ts';
import { describeIncident } from '../describe.ts';
import { namedIncident, openState } from '../store.ts';
import { storeOptions, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'tell the whole story of an incident: what was seen, planned, written, and why',
  usage: 'explain ID [--json]',
  examples: ['kubemend explain 3f2a9c1b07d4', 'kubemend explain 3f2a --json'],
  options: storeOptions,
  positionals: { least: 1, most: 1 },
  async run(call) {
    const incident = await namedIncident(await openState(call), call.positionals[0] ?? '');
    const remediation = (await loadRemediations()).find(({ name }) => name === incident.remediation);
    const { fact, plan, history } = incident;
    if (call.json) call.out(JSON.stringify({ ...summary(incident), cause: remediation?.cause, fact, plan, history: history.map(entry) }));
    else for (const line of describeIncident(incident, remediation)) call.out(line);
    return 0;
  },
};
