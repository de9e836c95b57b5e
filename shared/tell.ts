import { INCIDENT_CHANGED } from '../events/incident-changed.ts';
import { type Announcement, announce } from './announce.ts';
import { type Bus, isNeverTaken } from './bus/bus.ts';
import { publicRecord } from './public-record.ts';

interface Telling extends Announcement {
  bus: Bus;
  onProblem(message: string): void;
}

/** Tells a change of state to the bus, and then to the cluster. False: it is tried again later; it never holds up nor changes a remediation. */
export async function tell({ bus, onProblem, ...announcement }: Telling): Promise<boolean> {
  const { incident, remediation, told } = announcement;
  const detail = publicRecord(incident, remediation, told);
  const time = new Date(told.at).toISOString();
  try {
    await bus.publish({ id: detail.id, source: 'kubemend', 'detail-type': INCIDENT_CHANGED, time, detail });
  } catch (error) {
    const { message } = error as Error;
    if (!isNeverTaken(error)) {
      onProblem(`Incident ${incident.id} could not be told: ${message}`);
      return false;
    }
    // The same event would be refused for ever, and wake the function for it.
    onProblem(
      `Incident ${incident.id} is now ${told.state}, and that can never be told, so it is not tried again: ${message}. Read it with "kubemend explain ${incident.id}"`,
    );
  }
  await announce(announcement);
  return true;
}
