/** What the functions count (namespace `kubemend`), with the dimensions each is counted by. Alarms and the dashboard may ask for nothing else. */
export const METRICS = {
  handled: ['remediation'],
  refused: ['remediation'],
  failed: ['remediation'],
  milliseconds: ['remediation'],
  incidentChanged: ['remediation', 'state'],
  breakerOpened: ['remediation'],
  handedOn: ['function'],
  notHandedOn: ['function'],
} as const;

/** The name of one of them. */
export type Metric = keyof typeof METRICS;
