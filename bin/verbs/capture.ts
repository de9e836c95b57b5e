import { readBundle } from '../../infra/local/bundle.ts';
import { writeBundle } from '../../infra/local/capture.ts';
import { readRecording } from '../../infra/local/recording.ts';
import { replay } from '../../infra/local/replay.ts';
import { loadRemediations } from '../../infra/remediations.ts';
import type { Incident } from '../../shared/incident.ts';
import { namedIncident, openArtifacts, openState, stateDirectory } from '../store.ts';
import { stateOption, text, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'write an incident as a redacted bundle that replay accepts, out of what kubemend run --record kept',
  usage: 'capture ID [--to DIR]',
  examples: ['kubemend capture 3f2a9c1b07d4', 'kubemend capture 3f2a --to ./bundle && kubemend replay ./bundle'],
  options: { ...stateOption, to: { type: 'string', help: 'the folder to write (default: capture-ID)' } },
  positionals: { least: 1, most: 1 },
  async run(call) {
    const directory = stateDirectory(call);
    const incident = await namedIncident(await openState(call), call.positionals[0] ?? '');
    const lines = readRecording(directory);
    if (!lines)
      throw new UsageError(`Nothing is recorded in ${directory}: start kubemend run --record, and capture what it finds from then on`);
    const to = text(call, 'to') ?? `capture-${incident.id}`;
    const counts = writeBundle(incident, lines, to);
    const replayed = await replay({
      ...{ events: readBundle(to), remediations: await loadRemediations(), artifacts: openArtifacts(directory), cluster: 'recording' },
      onProblem: call.err,
    });
    const [was, is] = [verdictOf(incident), replayed.filter((one) => isSame(one, incident)).map(verdictOf)];
    const same = is.includes(was);
    if (call.json) call.out(JSON.stringify({ incident: incident.id, to, ...counts, verdict: was, replayed: is, same }));
    else {
      call.out(
        `${to}: ${counts.audit} audit events, ${counts.watch} watch events, ${counts.reads} reads. Values of credentials are marks; look through it before you send it.`,
      );
      call.out(
        same
          ? `It replays to the same verdict: ${was}`
          : `It does not replay to the same verdict (${was}) but to: ${is.join('; ') || 'none'}. Was the recording on when it began?`,
      );
    }
    return same ? 0 : 1;
  },
};

const isSame = ({ remediation, object }: Incident, other: Incident): boolean =>
  remediation === other.remediation && object.name === other.object.name && object.namespace === other.object.namespace;

/** The verdict that mattered: the plan's, else the last. */
function verdictOf({ history }: Incident): string {
  const verdicts = history.flatMap(({ verdict }) => verdict ?? []);
  const mattered = verdicts.find(({ kind }) => kind === 'fix') ?? verdicts.findLast(({ kind }) => kind === 'report') ?? verdicts.at(-1);
  return mattered ? `${mattered.kind}: ${mattered.because}` : 'none';
}
