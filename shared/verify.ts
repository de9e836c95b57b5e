import { isInFuture } from './clock-step.ts';
import type { Draft } from './draft.ts';
import { milliseconds } from './duration.ts';
import type { Incident } from './incident.ts';
import type { Context, Examined } from './input.ts';
import { recurs } from './recurrence.ts';

/** The fourth question. Clear once is not enough: it must stay clear, and the rule must not match again. */
export function onVerified(next: Draft, { verdict, plan: found, reads }: Examined, { now, limits, when }: Context): Incident | undefined {
  const { state, verification, fact, plan } = next.incident;
  if (state !== 'applied' || !verification) return next.done();
  if (isInFuture(verification.appliedAt, now)) {
    // Its times were set by a clock that ran ahead: the verification begins now.
    const settleWithin = milliseconds(plan?.settleWithin ?? limits.settleWithin);
    next.set({ verification: { appliedAt: now, settledAt: now + settleWithin, deadline: now + milliseconds(limits.verifyWithin) } });
    return next.look(now + 2_000).done();
  }
  const { settledAt, deadline, clearSince } = verification;
  const recurring = recurs(fact, when, settledAt);
  const entry = { question: 'verify' as const, verdict, reads };
  next.set({ examinedAt: now, doubts: 0 });
  if (verdict.kind === 'clear') {
    if (recurring)
      return next.ineffective('nothing is wrong any more as far as can be seen, and the failure goes on: the diagnosis was wrong', entry);
    const since = clearSince ?? now;
    const enough = Math.max(settledAt, since + milliseconds(limits.stableFor));
    next.set({ verification: { ...verification, clearSince: since } });
    return now >= enough ? next.to('verified', verdict.because, entry).done() : next.look(enough).done();
  }
  next.set({ verification: { ...verification, clearSince: undefined } });
  if (verdict.kind === 'fix' && verdict.continues && found && found.hash !== plan?.hash) {
    next.leave({ plan: found, verification: undefined });
    return next
      .to('planned', verdict.because, { ...entry, planHash: found.hash })
      .look(now + milliseconds(limits.confirmAfter))
      .done();
  }
  if (verdict.kind === 'fix' && now >= settledAt) {
    const because = `the same fix is needed again: somebody undid it (${verdict.because})`;
    return next
      .effect({ kind: 'count-ineffective' })
      .to('reverted', because, { ...entry, ...(plan && { planHash: plan.hash }) })
      .done();
  }
  if (now >= deadline) return next.ineffective(`the fix did not help in time: ${verdict.because}`, entry);
  if (recurring && verdict.kind === 'report') return next.ineffective(`the failure goes on after the fix: ${verdict.because}`, entry);
  if (verdict.kind === 'wait') next.set({ memory: verdict.remember ?? next.incident.memory });
  return next.look(Math.min(deadline, now + (verdict.kind === 'wait' ? milliseconds(verdict.again) : 2_000))).done();
}
