import * as z from 'zod';

const counts = z.record(z.string(), z.number());
const status = z.object({
  cluster: z.string(),
  now: z.number(),
  auditSources: z.array(z.string()),
  blindness: z.array(z.object({ about: z.enum(['watch', 'audit', 'spool']), says: z.string(), fix: z.string() })),
  stats: z.object({
    ...{ dropped: counts, lagSeconds: counts, putEventsFailed: counts, facts: counts, lastEventAt: counts },
    spool: z.object({ bytes: z.number(), waiting: z.number(), cap: z.number() }),
    ...{
      relists: z.number(),
      deadLettered: z.number(),
      events: z.number(),
      requests: z.number(),
      duplicates: z.number(),
      skewed: z.number(),
      sent: z.number(),
    },
    watches: z.record(z.string(), z.string()),
  }),
});

/** What a running exporter says of itself (`/status`). */
export type AskedStatus = z.infer<typeof status>;

/** Asks the exporter at `url`, whatever page of it was named. Throws with what came instead. */
export async function askExporter(url: string): Promise<AskedStatus> {
  const answer = await fetch(new URL('/status', url), { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    throw new Error(error.cause instanceof Error ? error.cause.message : error.message);
  });
  if (answer.status !== 200) throw new Error(`/status answered ${answer.status}`);
  const read = status.safeParse(await answer.json().catch(() => undefined));
  if (!read.success) throw new Error('what answers there is no exporter, or one of another version');
  return read.data;
}
