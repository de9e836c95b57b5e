/** What an exporter counts, for `/metrics` and people. Counters run since its start. */
export interface ExporterStats {
  /** Records lost, by reason: the name of the metric's label. */
  dropped: Record<string, number>;
  /** Seconds since the newest event of each source: `watch` (the most silent one, bookmarks count), `audit-webhook`, `audit-file`, … */
  lagSeconds: Record<string, number>;
  /** `bytes` on disk, facts `waiting` to be sent, and the most bytes there may be. */
  spool: { bytes: number; waiting: number; cap: number };
  /** Lists after the first one of each resource: each is a blind interval. */
  relists: number;
  /** Entries that EventBridge did not take, by error code. */
  putEventsFailed: Record<string, number>;
  /** Facts by the rule that asked for them. */
  facts: Record<string, number>;
  /** What the watch on each `group/resource` is doing: `starting`, `watching`, `blind`, `absent` or `failed`. */
  watches: Record<string, string>;
  /** Facts that the sink will never take; they are in the dead-letter file. */
  deadLettered: number;
  /** Milliseconds since 1970 of the newest event of each source. */
  lastEventAt: Record<string, number>;
  /** Lines of watches and lists. */
  events: number;
  /** Audit records about writes, and those of them that came twice. */
  requests: number;
  duplicates: number;
  /** Audit records with a timestamp out of range: they are counted when they arrived. */
  skewed: number;
  /** Facts delivered. */
  sent: number;
}

/** Seconds from the newest event of each source until `now`. */
export const lags = (lastEventAt: Record<string, number>, now: number): Record<string, number> =>
  Object.fromEntries(Object.entries(lastEventAt).map(([source, at]) => [source, Math.max(0, now - at) / 1_000]));
