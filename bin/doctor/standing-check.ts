import { loadRemediations } from '../../infra/remediations.ts';
import { describeStanding, standing } from '../standing.ts';
import { localStore, localStoreIfAny } from '../store.ts';
import { type Call, text } from '../verb.ts';
import { type Finding, fine, wrong } from './finding.ts';

/** Pauses and open breakers of the state folder (or table) that is named, or of the usual folder if there is one. Throws UsageError. */
export async function standingFindings(call: Call): Promise<Finding[]> {
  const table = text(call, 'aws-table');
  const store =
    table !== undefined
      ? (await import('../aws-store.ts')).awsStore(table, call.err, text(call, 'region'))
      : call.values.state !== undefined
        ? localStore(call)
        : localStoreIfAny(call);
  if (!store) return [];
  const found = describeStanding(await standing(store.state, await loadRemediations()));
  if (found.length === 0) return [fine('writes', 'nothing is paused, no breaker is open: the modes decide')];
  return found.map(({ says, fix }) => wrong('writes', says, fix));
}
