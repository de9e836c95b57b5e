import { countedObjects, switchedOff } from '../shared/guards.ts';
import type { Incident } from '../shared/incident.ts';
import type { RemediationCard } from '../shared/remediation.ts';
import { countsIn, OVERALL, remediationScope } from '../shared/state/scope.ts';
import type { State } from '../shared/state/state.ts';

type Card = Pick<RemediationCard, 'name' | 'limits'>;

/** A pause as it was set; without a remediation: of everything. */
export interface Pause {
  remediation?: string;
  by: string;
  since?: string;
}

/** Fixes that did not help, counted in `object/…`, `remediation/…` or `overall`. */
export interface Breaker {
  scope: string;
  ineffective: number;
  open: boolean;
  /** Undefined: of all of them. */
  remediation?: string;
}

/** What holds writes back besides the modes. */
export interface Standing {
  pauses: Pause[];
  breakers: Breaker[];
}

/** How a pause is kept: `ada since 2026-11-21T10:52:22.000Z`. */
export const pauseBy = (user: string, now: number): string => `${user} since ${new Date(now).toISOString()}`;

/** Reads pauses and breakers, the pause of everything first. */
export async function standing(state: State, remediations: Card[]): Promise<Standing> {
  const [settings, tallies] = [await state.settings(), await state.tallies()];
  const pauses = Object.entries(settings).flatMap(([name, value]) => {
    if (name !== 'paused' && !name.startsWith('paused/')) return [];
    const [, by = value, since] = /^(.*) since (\S+)$/.exec(value) ?? [];
    return [{ ...(name !== 'paused' && { remediation: name.slice('paused/'.length) }), by, ...(since && { since }) }];
  });
  return { pauses, breakers: Object.entries(tallies).map(([scope, n]) => breakerOf(scope, n, remediations)) };
}

/** Of a scope as budgets and breakers count it (shared/state/scope.ts). */
function breakerOf(scope: string, ineffective: number, remediations: Card[]): Breaker {
  const kind = scope.split('/')[0] as keyof RemediationCard['limits']['breakers'];
  const own = kind === 'overall' ? undefined : remediations.find(({ name }) => countsIn(name, scope));
  const most = Math.min(...(own ? [own] : remediations).map(({ limits }) => limits.breakers[kind] ?? Number.POSITIVE_INFINITY));
  return { scope, ineffective, open: ineffective >= most, ...(own && { remediation: own.name }) };
}

/** `ada since 2026-11-21 10:52:22 UTC`. */
export const describePause = ({ by, since }: Pause): string => (since ? `${by} since ${since.slice(0, 19).replace('T', ' ')} UTC` : by);

/** Lines for people, with the way out; none where nothing holds writes back. */
export function describeStanding({ pauses, breakers }: Standing): { says: string; fix: string }[] {
  return [
    ...pauses.map((pause) => ({
      says: `${pause.remediation ?? 'Everything'} is paused by ${describePause(pause)}: nothing is written`,
      fix: `kubemend resume${pause.remediation ? ` ${pause.remediation}` : ''}`,
    })),
    ...breakers
      .filter(({ open }) => open)
      .map(({ scope, ineffective, remediation }) => ({
        says: `The breaker ${scope} is open: ${ineffective} fixes did not help`,
        fix: `look at them, then: kubemend resume${remediation ? ` ${remediation}` : ''}`,
      })),
  ];
}

/** Why what a person wants written now would be withheld, with the way out; undefined: it would not, as far as can be said here. */
export async function heldBack(
  state: State,
  incident: Incident,
  what: 'fix' | 'undo',
  { remediations, limitsKnown }: { remediations: Card[]; limitsKnown: boolean },
): Promise<string | undefined> {
  const found = await standing(state, remediations);
  const concerns = ({ remediation }: { remediation?: string }) => remediation === undefined || remediation === incident.remediation;
  // A breaker stops fixes, not their undoing.
  const breakers = what === 'fix' && limitsKnown ? found.breakers.filter(({ scope }) => isAbout(scope, incident)) : [];
  const [first] = describeStanding({ pauses: found.pauses.filter(concerns), breakers });
  if (first) return `${first.says}. ${first.fix}`;
  // The way back is taken in shadow, too.
  const off = what === 'undo' ? undefined : await switchedOff(state, incident);
  return off && `${off}. To let a person decide: kubemend mode ${incident.remediation} approve`;
}

const isAbout = (scope: string, incident: Incident): boolean =>
  [...countedObjects(incident, incident.plan).keys(), remediationScope(incident.remediation, incident.cluster), OVERALL].includes(scope);
