import type { IncidentState } from '../../events/incident-changed.ts';

/** How urgent a message is: it follows from the state alone, so two people never see two severities. */
export interface Severity {
  level: 'critical' | 'decision' | 'notice' | 'progress' | 'over';
  emoji: string;
  /** For people. */
  means: string;
}

const CRITICAL: Severity = { level: 'critical', emoji: ':red_circle:', means: 'critical: a fix did not do its work' };
const DECISION: Severity = { level: 'decision', emoji: ':large_orange_circle:', means: 'a person is needed' };
const NOTICE: Severity = { level: 'notice', emoji: ':large_yellow_circle:', means: 'for information: nothing is written' };
const PROGRESS: Severity = { level: 'progress', emoji: ':large_blue_circle:', means: 'under way' };
const OVER: Severity = { level: 'over', emoji: ':large_green_circle:', means: 'over' };

const BY_STATE: { [state in IncidentState]?: Severity } = {
  ...{ failed: CRITICAL, ineffective: CRITICAL, reverted: CRITICAL },
  ...{ 'awaiting-approval': DECISION, reported: DECISION },
  ...{ shadowed: NOTICE, refused: NOTICE, expired: NOTICE },
  ...{ verified: OVER, resolved: OVER, cleared: OVER, undone: OVER },
};

export const severityOf = (state: IncidentState): Severity => BY_STATE[state] ?? PROGRESS;

/** States that a person has to see, however many others there are. */
export const needsPerson = (state: IncidentState): boolean => ['critical', 'decision'].includes(severityOf(state).level);

/** Whether it was ever more than a look: before that there is nothing to tell anybody. */
export const worthTelling = ({ state, history }: { state: string; history: { state: string }[] }): boolean =>
  [{ state }, ...history].some((one) => !['detected', 'waiting', 'cleared'].includes(one.state));
