import type { IncidentState } from '../events/incident-changed.ts';
import { own } from '../shared/own.ts';
import { paint, type Style } from './terminal.ts';

export { paint };

const STATES: Partial<Record<IncidentState, Style>> = {
  verified: 'green',
  resolved: 'green',
  cleared: 'green',
  ineffective: 'red',
  failed: 'red',
  undone: 'yellow',
  reverted: 'red',
  reported: 'yellow',
  'awaiting-approval': 'yellow',
  refused: 'yellow',
  expired: 'yellow',
};

/** A state in its colour. */
export const paintState = (state: IncidentState, width = 0): string => paint(own(STATES, state) ?? 'cyan', state.padEnd(width));

/** `04:12:07`, UTC. */
export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
