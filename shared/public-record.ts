import type { IncidentChanged } from '../events/incident-changed.ts';
import type { Effect, Entry, Incident } from './incident.ts';
import { fitted } from './outcome-size.ts';
import type { Fact, Remediation } from './remediation.ts';

/** What everybody may see of an incident, and what a bus takes of it: no memory, no outbox, no raw fact. */
export function publicRecord(
  incident: Incident,
  { title, cause }: Pick<Remediation, 'title' | 'cause'>,
  told: Pick<Extract<Effect, { kind: 'tell' }>, 'id' | 'state' | 'because' | 'at'>,
): IncidentChanged {
  const { id, cluster, remediation, object, detectedAt, plan } = incident;
  return fitted({
    id: `${id}/${told.id}`,
    incident: id,
    cluster,
    remediation,
    title,
    object,
    state: told.state,
    because: told.because,
    at: iso(told.at),
    detectedAt: iso(detectedAt),
    ...(plan && { planHash: plan.hash }),
    record: { ...summary(incident), cause, seen: seen(incident.fact), plan, history: incident.history.map(entry) },
  });
}

/** An incident as `--json` prints it and `replay` reports it (DESIGN §11). */
export const summary = (incident: Incident): Record<string, unknown> => {
  const {
    id,
    cluster,
    remediation,
    state,
    because,
    detectedAt,
    updatedAt,
    object,
    approval,
    execution,
    verification,
    after,
    undo,
    byHand,
  } = incident;
  const { resource, namespace, name, group, version, uid } = object;
  return {
    id,
    remediation,
    cluster,
    object: { group, version, resource, ...(namespace && { namespace }), name, ...(uid && { uid }) },
    state,
    because,
    detectedAt: iso(detectedAt),
    updatedAt: iso(updatedAt),
    ...(after && { after }),
    ...(byHand && { byHand }),
    ...(undo && {
      undo: { by: undo.by, written: (undo.execution?.written ?? []).map((written) => ({ ...written, at: iso(written.at) })) },
    }),
    ...(approval && { approval: { ...approval, at: iso(approval.at) } }),
    ...(execution && { written: execution.written.map((written) => ({ ...written, at: iso(written.at) })) }),
    ...(verification && { appliedAt: iso(verification.appliedAt) }),
  };
};

/** What was counted and who wrote it; no field of an object. */
function seen(fact: Fact): Record<string, unknown> {
  if (!('window' in fact)) return { change: fact.change, phantom: fact.phantom };
  const { writes, changes, noops, phantoms, errors, shape, window, actors, rejected } = fact;
  return {
    writes,
    changes,
    noops,
    phantoms,
    errors,
    shape,
    seconds: window.seconds,
    actors: actors.slice(0, 10),
    ...(rejected && { rejected }),
  };
}

/** One line of history with its time in ISO 8601. */
export const entry = ({ at, ...rest }: Entry): Record<string, unknown> => ({ at: iso(at), ...rest });

const iso = (ms: number): string => new Date(ms).toISOString();
