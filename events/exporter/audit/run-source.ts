import { backoff } from '../wait.ts';
import type { AuditSource, AuditSourceContext } from './audit-source.ts';

/** After so many milliseconds without a failure the next one is the first again. */
const CALM = 60_000;

/** Runs a source of audit until the signal aborts, and starts it again when it ends before that. */
export async function runSource(source: AuditSource, context: AuditSourceContext): Promise<void> {
  const { signal, now, random, wait, onProblem } = context;
  for (let failures = 0; !signal.aborted; ) {
    const startedAt = now();
    const because = await source.run(context).then(
      () => 'it ended',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (signal.aborted) return;
    failures = now() - startedAt > CALM ? 1 : failures + 1;
    onProblem(`Reading ${source.name}: ${because}. Starting it again.`);
    await wait(backoff(failures, random), signal);
  }
}
