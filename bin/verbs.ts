import type { Verb } from './verb.ts';

/** Every verb, in the order of the overview. A verb is loaded when it is called. */
export const VERBS: Record<string, () => Promise<{ verb: Verb }>> = {
  sandbox: () => import('./verbs/sandbox.ts'),
  run: () => import('./verbs/run.ts'),
  scan: () => import('./verbs/scan.ts'),
  incidents: () => import('./verbs/incidents.ts'),
  explain: () => import('./verbs/explain.ts'),
  approve: () => import('./verbs/approve.ts'),
  reject: () => import('./verbs/reject.ts'),
  snooze: () => import('./verbs/snooze.ts'),
  rerun: () => import('./verbs/rerun.ts'),
  retry: () => import('./verbs/retry.ts'),
  undo: () => import('./verbs/undo.ts'),
  mode: () => import('./verbs/mode.ts'),
  stats: () => import('./verbs/stats.ts'),
  pause: () => import('./verbs/pause.ts'),
  resume: () => import('./verbs/resume.ts'),
  capture: () => import('./verbs/capture.ts'),
  replay: () => import('./verbs/replay.ts'),
  send: () => import('./verbs/send.ts'),
  redrive: () => import('./verbs/redrive.ts'),
  rights: () => import('./verbs/rights.ts'),
  crds: () => import('./verbs/crds.ts'),
  new: () => import('./verbs/new.ts'),
  completion: () => import('./verbs/completion.ts'),
};
