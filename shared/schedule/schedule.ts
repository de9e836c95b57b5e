/** A look at an incident that is due at a time, to the second. `wake`: no look, only work left in the outbox. */
export interface Appointment {
  incident: string;
  token: number | 'wake';
  at: number;
}

/** Appointments that survive a restart. An incident has one look at most: a new one replaces the old. */
export interface Schedule {
  put(appointment: Appointment): Promise<void>;
}
