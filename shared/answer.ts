import { advance } from './advance.ts';
import { modeOf } from './gates.ts';
import type { Incident } from './incident.ts';
import type { Input } from './input.ts';
import type { Remediation } from './remediation.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { State } from './state/state.ts';

interface Answer {
  state: State;
  schedule: Schedule;
  remediations: Remediation[];
  id: string;
  input: Extract<Input, { kind: 'approve' | 'reject' }>;
  now: number;
}

/** Records a person's word and wakes whoever runs the engine. The first word wins; one that does not fit the state or the hash changes nothing. */
export async function answer({
  state,
  schedule,
  remediations,
  id,
  input,
  now,
}: Answer): Promise<{ taken: boolean; incident: Incident | undefined }> {
  for (;;) {
    const incident = await state.load(id);
    const remediation = remediations.find(({ name }) => name === incident?.remediation);
    if (!incident || !remediation) return { taken: false, incident };
    const mode = await modeOf(state, remediation.name, incident.object.namespace);
    const next = advance(incident, input, { now, mode, limits: remediation.limits, when: remediation.when });
    if (!next) return { taken: false, incident };
    if (!(await state.save(next, incident.revision))) continue;
    await schedule.put({ incident: incident.id, token: 'wake', at: now });
    return { taken: true, incident: next };
  }
}
