import type { Button } from '@slack/types';
import type { IncidentState } from '../../events/incident-changed.ts';
import { button } from './blocks.ts';
import type { Story } from './story.ts';

/** What a button asks for. */
export type Ask = 'approve' | 'reject' | 'snooze' | 'rerun';

/** Carried by a button: which incident, in which state, with which plan. Never a command: what is done is the stored plan of that hash or nothing. */
export interface Bound {
  incident: string;
  /** Absent where the incident has no plan. */
  hash?: string;
  state: string;
}

const PREFIX = 'kubemend.';
const NONE = '-';

/** The buttons of a state: what a person can do about it. */
const SHOWN: { [state in IncidentState]?: Ask[] } = {
  'awaiting-approval': ['approve', 'reject', 'snooze'],
  ...{ reported: ['rerun', 'reject'], shadowed: ['rerun', 'reject'], waiting: ['rerun'] },
  ...{ expired: ['rerun'], refused: ['rerun'], failed: ['rerun'], ineffective: ['rerun'], reverted: ['rerun'] },
};

export function buttonsOf({ incident, state, plan }: Pick<Story, 'incident' | 'state' | 'plan'>): Button[] {
  const value = encode({ incident, state, ...(plan && { hash: plan.hash }) });
  const make: Record<Ask, () => Button> = {
    approve: () =>
      button(`${PREFIX}approve`, 'Approve', value, {
        style: 'primary',
        ask: `Plan ${plan?.hash.slice(0, 8)} is carried out if it still holds when it is written: ${plan?.steps.map(({ reason }) => reason).join('; ')}`,
      }),
    reject: () =>
      button(`${PREFIX}reject`, 'Reject', value, { style: 'danger', ask: 'Nothing is written, and nobody is asked again for a day.' }),
    snooze: () => button(`${PREFIX}snooze`, 'Snooze 1 h', value),
    rerun: () => button(`${PREFIX}rerun`, 'Run again', value),
  };
  return (SHOWN[state] ?? []).map((ask) => make[ask]());
}

/** What was asked by which button; undefined for a button that is not ours. */
export function readButton(actionId: string, value: string): { ask: Ask; bound: Bound } | undefined {
  const ask = (['approve', 'reject', 'snooze', 'rerun'] as const).find((one) => actionId === `${PREFIX}${one}`);
  const [, incident, hash, state] = /^v1\|([0-9a-f]{12})\|([0-9a-f]{8,64}|-)\|([a-z-]{1,30})$/.exec(value) ?? [];
  if (!ask || !incident || !hash || !state) return undefined;
  return { ask, bound: { incident, state, ...(hash !== NONE && { hash }) } };
}

const encode = ({ incident, hash = NONE, state }: Bound): string => `v1|${incident}|${hash}|${state}`;
