import type { IncidentState } from '../events/incident-changed.ts';
import { effectiveMode } from './guards.ts';
import type { Effect, Entry, Incident } from './incident.ts';
import { type KubernetesObject, nameOf, pathOf } from './kubernetes/object.ts';
import { oneLine } from './one-line.ts';
import type { Remediation } from './remediation.ts';
import type { Sender } from './sender.ts';
import type { State } from './state/state.ts';

/** What `kubectl describe` shows of each state; the others are passages, or nothing that happened. */
const SHOWN: { [state in IncidentState]?: { reason: string; action: string; is: string; type?: 'Warning' } } = {
  reported: { reason: 'FailureReported', action: 'Report', is: 'Found, and needs a person', type: 'Warning' },
  planned: { reason: 'FixPlanned', action: 'Plan', is: 'Found, and planned', type: 'Warning' },
  'awaiting-approval': { reason: 'FixAwaitsApproval', action: 'Plan', is: 'The plan waits for approval' },
  applied: { reason: 'FixApplied', action: 'Fix', is: 'Written, and now verified' },
  verified: { reason: 'FixVerified', action: 'Verify', is: 'The fix helped' },
  ineffective: { reason: 'FixIneffective', action: 'Verify', is: 'The fix did not help', type: 'Warning' },
  reverted: { reason: 'FixReverted', action: 'Verify', is: 'Somebody undid the fix', type: 'Warning' },
  failed: { reason: 'FixFailed', action: 'Fix', is: 'The fix stopped half-way', type: 'Warning' },
  refused: { reason: 'FixRefused', action: 'Plan', is: 'Not written' },
  resolved: { reason: 'FailureResolved', action: 'Verify', is: 'It is over' },
  undone: { reason: 'FixUndone', action: 'Undo', is: 'The fix was taken back' },
};
/** After it an incident is what it was before. */
const UNDO_REFUSED = { reason: 'UndoRefused', action: 'Undo', is: 'The fix was not taken back', type: 'Warning' } as const;
/** Every `reason` of an Event that kubemend writes: a reader takes no other for kubemend's, and the admission policies refuse any other. */
export const EVENT_REASONS = [...Object.values(SHOWN), UNDO_REFUSED].map(({ reason }) => reason);
/** The one resource that it creates. */
const EVENTS = { group: 'events.k8s.io', version: 'v1', resource: 'events' };
/** Of a note: kube-apiserver refuses a longer one. Bytes. */
const LONGEST = 1_024;

/** A change of state, and who can be told of it. */
export interface Announcement {
  incident: Incident;
  remediation: Pick<Remediation, 'name' | 'title' | 'cause'>;
  told: Pick<Extract<Effect, { kind: 'tell' }>, 'id' | 'state' | 'because' | 'at'>;
  state: State;
  /** Undefined: this run does not tell the cluster. */
  sender(): Sender | undefined;
}

/**
 * Writes a Kubernetes Event about the object of an incident: the one other thing than a plan's step that kubemend writes, and nothing waits for it.
 * Never in shadow mode, which writes nothing at all. It fails silently: no permission is no reason to do or not to do anything.
 */
export async function announce({ incident, remediation, told, state, sender }: Announcement): Promise<void> {
  try {
    const { shown, entry } = shownOf(incident, told);
    const to = shown && sender();
    if (!to || (await effectiveMode(state, incident, incident.plan)) === 'shadow') return;
    const signal = AbortSignal.timeout(5_000);
    const { group, version, namespace, name } = incident.object;
    const { kind, uid } = incident.object.kind && incident.object.uid ? incident.object : await identify(to, incident, signal);
    const at = new Date(told.at).toISOString().replace('Z', '000Z');
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      // The same change told twice has the same name, so it is there once.
      metadata: { name: `${name.slice(0, 200).replace(/[^a-z0-9]+$/, '')}.${incident.id}.${told.id}`, namespace: namespace ?? 'default' },
      eventTime: at,
      ...{ type: shown.type ?? 'Normal', reason: shown.reason, action: shown.action },
      reportingController: `kubemend.dev/${remediation.name.split('/').at(-1)}`,
      reportingInstance: `kubemend-${incident.id}`,
      regarding: {
        apiVersion: group === '' ? version : `${group}/${version}`,
        kind,
        name,
        ...(namespace && { namespace }),
        ...(uid && { uid }),
      },
      note: note(incident, remediation, shown.is, entry),
    };
    const path = pathOf({ ...EVENTS, namespace: body.metadata.namespace });
    await to.send({ method: 'POST', path, body, signal });
  } catch {
    // Telling the bus is what counts.
  }
}

/** What is said of a change, with its line of the history. Nothing when it only says another way what it was. */
function shownOf({ history }: Incident, told: Announcement['told']) {
  const isTold = (entry: Entry) => entry.at === told.at && entry.state === told.state && entry.because === told.because;
  const index = history.findLastIndex(isTold);
  const before = history[index - 1]?.state;
  const wasUndoing = before === 'undoing' && told.state !== 'undone' && told.state !== 'failed';
  const shown = wasUndoing ? UNDO_REFUSED : SHOWN[told.state];
  return { entry: history[index], shown: before === told.state ? undefined : shown };
}

/** `kubectl describe` finds Events by kind and uid; a subject that was only derived from another object has neither. */
async function identify(to: Sender, { object }: Incident, signal: AbortSignal): Promise<{ kind: string; uid?: string | undefined }> {
  const { status, body } = await to.send({ method: 'GET', path: pathOf(object, object.name), signal });
  const { kind, metadata } = body as Partial<KubernetesObject>;
  if (status !== 200 || !kind) throw new Error(`${nameOf(object)} could not be read`);
  return { kind, uid: metadata?.uid };
}

/** Only what is known without reading an object: whoever may read Events of a namespace may not be allowed to read what a plan rests on. */
function note({ id, plan, object }: Incident, { title, cause }: Announcement['remediation'], is: string, entry: Entry | undefined): string {
  const near = plan?.steps.filter(({ target }) => target.namespace === undefined || target.namespace === object.namespace) ?? [];
  const steps = near.length > 0 ? ` It concerns ${near.map(({ kind, target }) => `${nameOf(target)} (${kind})`).join(', ')}.` : '';
  const said = entry?.state === 'refused' && entry.by !== undefined ? `${entry.by} said no` : undefined;
  const why = entry?.open ? entry.because : said;
  const tail = ` More: kubemend explain ${id}`;
  const head = Buffer.from(oneLine(`${is}${why === undefined ? '' : ` (${why})`}: ${title}. Cause: ${cause.issue}.${steps}`)).subarray(
    0,
    LONGEST - Buffer.byteLength(tail),
  );
  // A character that was cut in two is left out.
  return `${head.toString('utf8').replace(/\ufffd+$/, '')}${tail}`;
}
