import type { ExporterStats } from './stats.ts';

/** What an exporter is expected to see. */
export interface Expectation {
  /** Names of the audit sources it was given, such as `audit-webhook`. */
  auditSources: string[];
  /** Milliseconds without an audit event after which the flow counts as stopped, by source. */
  auditSilence(source: string): number;
  /** When it began to wait for the first one; milliseconds since 1970. */
  startedAt: number;
}

/** From here on a spool counts as full: what is left is kept for acknowledgements. */
export const FULL = 0.9;

/** Why the exporter cannot be believed to see everything now, in sentences that say what to do; none when it can. `now` in milliseconds since 1970. */
export function blindness(stats: ExporterStats, { auditSources, auditSilence, startedAt }: Expectation, now: number): string[] {
  const { watches, spool, lastEventAt } = stats;
  const unseen = Object.entries(watches).flatMap(([resource, state]) => WATCH[state]?.(resource) ?? []);
  const silent = auditSources.flatMap((source) => {
    const since = lastEventAt[source] ?? startedAt;
    if (now - since <= auditSilence(source)) return [];
    const so = lastEventAt[source] === undefined ? 'No audit event ever came' : `No audit event came for ${seconds(now - since)} s`;
    return [`${so} from ${source}: ${SOURCE[source] ?? 'check where it reads from'}.`];
  });
  const full =
    spool.bytes >= FULL * spool.cap
      ? [`The spool holds ${spool.bytes} of ${spool.cap} bytes (${spool.waiting} facts wait): check that the bus takes facts.`]
      : [];
  return [...unseen, ...silent, ...full];
}

/** What only a restart mends. */
export const defects = ({ watches }: ExporterStats): string[] =>
  Object.entries(watches).flatMap(([resource, state]) => (state === 'failed' ? [failed(resource)] : []));

const seconds = (ms: number): number => Math.round(ms / 1_000);

const failed = (resource: string): string =>
  `The watch on ${resource} ended by a defect of the exporter: restart it, and report the error in its log.`;

/** A resource that is not served (`absent`) hides nothing: its operator is not installed. */
const WATCH: Record<string, (resource: string) => string> = {
  starting: (resource) => `The first list of ${resource} is not in yet.`,
  blind: (resource) => `The watch on ${resource} is interrupted: check the API server, and the right to list and watch it.`,
  failed,
};

const SOURCE: Record<string, string> = {
  'audit-webhook': 'check --audit-webhook-config-file of the API server, and that it reaches this port',
  'audit-file': 'check --audit-log-path of the API server, and that the file is readable here',
  'audit-cloudwatch': 'check that audit logging of the cluster is on, and the right logs:FilterLogEvents',
};
