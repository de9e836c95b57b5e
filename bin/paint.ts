import { styleText } from 'node:util';
import type { IncidentState } from '../events/incident-changed.ts';

type Style = Parameters<typeof styleText>[0];

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

/** Colours a text in a terminal; leaves it plain when piped or under NO_COLOR. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/** A state in its colour. */
export const paintState = (state: IncidentState, width = 0): string => paint(STATES[state] ?? 'cyan', state.padEnd(width));

/** `04:12:07`, UTC. */
export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
