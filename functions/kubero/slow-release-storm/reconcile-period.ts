import type { KubernetesObject } from '../../../shared/kubernetes/object.ts';

/** The annotation that helm-operator reads its period from, before `watches.yaml` and its flag. */
export const RECONCILE_PERIOD = 'helm.sdk.operatorframework.io/reconcile-period';
/** What a pipeline in a storm is slowed down to: a change of its spec is still reconciled at once. */
export const SLOW = '1h';
/** Pipelines that are reconciled no more often than this are left alone, milliseconds. */
export const RESTS = 300_000;

/** The pattern of an annotation that no duration can be: each ends with one of these units. */
export const NOT_A_DURATION = [{ 'anything-but': { suffix: ['s', 'm', 'h'] } }];

const UNITS: { [unit: string]: number } = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The period of a pipeline as it is written, and in milliseconds: undefined when Go cannot parse the annotation as a duration. `old`: up to 0.1.4. */
export function periodOf({ metadata }: KubernetesObject, old: boolean): { written: string; ms: number | undefined } {
  // Without the annotation: the flag's default, and since 0.1.5 what watches.yaml says.
  const written = metadata.annotations?.[RECONCILE_PERIOD] ?? (old ? '1m' : '3m');
  return { written, ms: goDuration(written) };
}

/** `90s`, `1h30m`, `1.5h` in milliseconds, as Go's time.ParseDuration reads them; undefined for `1day`, and for what is not above zero. */
export function goDuration(text: string): number | undefined {
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g);
  const ms = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[`${unit}`] ?? 0), 0);
  return ms > 0 ? ms : undefined;
}

/** How long one period takes on a busy machine, milliseconds: the last revision after the fix comes within it. */
export const graceOf = (period: number): number => Math.ceil(period * 1.25 + 5_000);
