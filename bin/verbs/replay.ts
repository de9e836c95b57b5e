import { BundleError, readBundle } from '../../infra/local/bundle.ts';
import { replay } from '../../infra/local/replay.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import { type Incident, wasFailure } from '../../shared/incident.ts';
import { nameOf } from '../../shared/kubernetes/object.ts';
import { entry, summary } from '../../shared/public-record.ts';
import { clockTime, paint, paintState } from '../paint.ts';
import { openArtifacts, stateDirectory } from '../store.ts';
import { stateOption, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'run a recorded incident through rules, examine and plan on its own clock; never writes',
  usage: 'replay DIR [--json]',
  examples: ['kubemend replay test/incidents/strimzi-storm-start', 'kubemend replay ./bundle --json | jq ".incidents[].state"'],
  options: stateOption,
  positionals: { least: 1, most: 1 },
  async run(call) {
    const directory = call.positionals[0] ?? '';
    try {
      const events = readBundle(directory);
      const artifacts = openArtifacts(stateDirectory(call));
      const incidents = await replay({
        events,
        remediations: await loadRemediations(),
        artifacts,
        cluster: 'recording',
        onProblem: call.err,
      });
      const failures = incidents.filter(wasFailure);
      const watched = incidents.filter((incident) => !wasFailure(incident));
      if (call.json) {
        call.out(JSON.stringify({ incidents: failures.map(record), watched: watched.map(record) }));
        return 0;
      }
      const { length } = failures;
      call.out(`${events.length} events, ${length} incident${length === 1 ? '' : 's'}, ${watched.length} looked at without a failure`);
      for (const incident of [...failures, ...watched]) {
        call.out('');
        call.out(`${paint('bold', nameOf(incident.object))}  ${incident.remediation}`);
        for (const { at, state, because } of incident.history) call.out(`  ${clockTime(at)}  ${paintState(state, 18)} ${because}`);
      }
      return 0;
    } catch (error) {
      if (error instanceof BundleError) throw new UsageError(error.message);
      throw error;
    }
  },
};

const record = (incident: Incident): object => ({ ...summary(incident), history: incident.history.map(entry) });
