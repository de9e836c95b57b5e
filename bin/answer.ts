import { loadRemediations } from '../infra/remediations.ts';
import { answer } from '../shared/answer.ts';
import { systemClock } from '../shared/clock.ts';
import { summary } from '../shared/public-record.ts';
import { SqliteSchedule } from '../shared/schedule/sqlite.ts';
import { openDatabase, SqliteState } from '../shared/state/sqlite.ts';
import { describePlan } from './describe.ts';
import { databasePath, namedIncident, stateDirectory } from './store.ts';
import { stateOption, text, type Verb } from './verb.ts';

type Kind = { kind: 'approve' | 'reject' } & Pick<Verb, 'summary' | 'usage' | 'examples' | 'options'>;

/** `approve` and `reject`: a person's word on the plan of an incident, recorded for the running kubemend. */
export const answerVerb = ({ kind, options, ...about }: Kind): Verb => ({
  ...about,
  options: { ...stateOption, ...options },
  positionals: { least: 1, most: 1 },
  async run(call) {
    const database = openDatabase(databasePath(stateDirectory(call)));
    const state = new SqliteState(database);
    const schedule = new SqliteSchedule(database, systemClock, call.err);
    const { id, plan } = await namedIncident(state, call.positionals[0] ?? '');
    const by = call.environment.user;
    const hash = plan?.hash.startsWith(text(call, 'plan') ?? '') ? plan.hash : '';
    const input = kind === 'approve' ? { kind, hash, by } : { kind, by, because: text(call, 'because') ?? 'no reason given' };
    const remediations = await loadRemediations();
    const { taken, incident } = await answer({ state, schedule, remediations, id, input, now: systemClock.now() });
    const runs = !(await state.lease('runner', 'probe', 0, systemClock.now()));
    if (call.json) call.out(JSON.stringify({ taken, runs, ...(incident && summary(incident)) }));
    else if (taken) {
      call.out(`${kind === 'approve' ? 'Approved' : 'Rejected'}: incident ${id} is ${incident?.state} (${incident?.because}).`);
      if (!runs) call.out('No kubemend runs on this state folder now; it is taken up by the next: kubemend run');
    } else {
      call.out(`Nothing changed: incident ${id} is ${incident?.state} (${incident?.because}).`);
      if (incident?.plan && text(call, 'plan')) for (const line of describePlan(incident.plan)) call.out(line);
      else if (incident?.state === 'shadowed')
        call.out(`It is in shadow mode. To let a person decide: kubemend mode ${incident.remediation} approve`);
    }
    return taken ? 0 : 1;
  },
});
