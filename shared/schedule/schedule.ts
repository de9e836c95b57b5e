/** A look at an incident that is due at a time, to the second. `wake`: no look, only work left in the outbox. */
export interface Appointment {
  incident: string;
  token: number | 'wake';
  at: number;
  /** When it was put, milliseconds: a time in the future says that the clock has been put right since, and that it is due. */
  set?: number | undefined;
}

/** Appointments that survive a restart. An incident has one look at most: a new one replaces the old. */
export interface Schedule {
  put(appointment: Appointment): Promise<void>;
}
