import { advance } from './advance.ts';
import { follow } from './again.ts';
import { effectiveMode } from './guards.ts';
import type { Incident } from './incident.ts';
import type { Word } from './input.ts';
import type { RemediationCard } from './remediation.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { State } from './state/state.ts';

interface Answer {
  state: State;
  schedule: Schedule;
  remediations: Pick<RemediationCard, 'name' | 'when' | 'limits'>[];
  id: string;
  input: Word;
  now: number;
}

/**
 * Records a person's word and wakes whoever runs the engine. The first word wins; one that does not fit the state or the hash changes nothing.
 * `rerun` and `retry` are about the failure, so they go to its newest incident, and open the next one where that has ended.
 */
export async function answer({
  state,
  schedule,
  remediations,
  id,
  input,
  now,
}: Answer): Promise<{ taken: boolean; incident: Incident | undefined }> {
  for (;;) {
    const named = await state.load(id);
    const newest = named && (input.kind === 'rerun' || input.kind === 'retry') ? await state.latest(named.key) : undefined;
    const incident = newest ?? named;
    const remediation = remediations.find(({ name }) => name === incident?.remediation);
    if (!incident || !remediation) return { taken: false, incident };
    const mode = await effectiveMode(state, incident, incident.plan);
    const { limits, when } = remediation;
    const next = advance(incident, input, { now, mode, limits, when }) ?? follow(incident, input, limits, now);
    if (!next) return { taken: false, incident };
    if (!(await state.save(next, next.id === incident.id ? incident.revision : 0))) continue;
    await schedule.put({ incident: next.id, token: 'wake', at: now });
    return { taken: true, incident: next };
  }
}
