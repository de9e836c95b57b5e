import type { BurstLetter, IncidentLetter, StormLetter } from '../../../shared/slack/letter.ts';

/** When a remediation's messages become a storm: more than `more` new ones `within`; it is over after `quiet`. Milliseconds. */
export interface StormLimits {
  more: number;
  within: number;
  quiet: number;
}

export const STORM_LIMITS: StormLimits = { more: 5, within: 60_000, quiet: 600_000 };

/** A message of its own. */
export const OWN = 'own';

export const burstKey = ({ change }: IncidentLetter): string => `burst/${change.remediation}@${change.cluster}`;

/** Decides where the message of a new incident belongs, and remembers it for the next one. */
export function place(burst: BurstLetter, now: number, { more, within, quiet }: StormLimits): BurstLetter & { placed: string } {
  const opened = burst.opened.filter((at) => at > now - within);
  if (burst.storm && now - burst.storm.joinedAt < quiet) {
    return { ...burst, opened, storm: { ...burst.storm, joinedAt: now }, placed: burst.storm.key };
  }
  if (opened.length < more) return { ...burst, opened: [...opened, now], storm: undefined, placed: OWN };
  const key = `storm/${burst.key.slice('burst/'.length)}/${now}`;
  return { ...burst, opened, storm: { key, joinedAt: now }, placed: key };
}

/** A summary with nobody in it yet. */
export const newStorm = (key: string, { change }: IncidentLetter, since: string): StormLetter => ({
  ...{ kind: 'storm', key, version: 0, pendingSince: undefined, refusals: 0, lost: 0, since, members: [] },
  ...{ title: change.title, remediation: change.remediation, cluster: change.cluster },
});
