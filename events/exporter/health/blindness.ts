import type { ExporterStats } from './stats.ts';

/** What an exporter is expected to see. */
export interface Expectation {
  /** Names of the audit sources it was given, such as `audit-webhook`. */
  auditSources: string[];
  /** Milliseconds without an audit event after which the flow counts as stopped. */
  auditSilence: number;
  /** When it began to wait for the first one; milliseconds since 1970. */
  startedAt: number;
}

/** One reason why an exporter does not see everything, and what to do: two halves of a sentence. */
export interface Blindness {
  about: 'watch' | 'audit' | 'spool';
  says: string;
  fix: string;
}

/** From here on a spool counts as full: what is left is kept for acknowledgements. */
export const FULL = 0.9;

/** Why the exporter cannot be believed to see everything now; nothing when it can. `now` in milliseconds since 1970. */
export function blindness(stats: ExporterStats, { auditSources, auditSilence, startedAt }: Expectation, now: number): Blindness[] {
  const { watches, spool, lastEventAt } = stats;
  const unseen = Object.entries(watches).flatMap(([resource, state]) => WATCH[state]?.(resource) ?? []);
  const silent = auditSources.flatMap((source): Blindness[] => {
    const silence = now - (lastEventAt[source] ?? startedAt);
    if (silence <= auditSilence) return [];
    const so = lastEventAt[source] === undefined ? 'No audit event ever came' : `No audit event came for ${Math.round(silence / 1_000)} s`;
    return [{ about: 'audit', says: `${so} from ${source}`, fix: SOURCE[source] ?? 'check where it reads from' }];
  });
  const says = `The spool holds ${spool.bytes} of ${spool.cap} bytes (${spool.waiting} facts wait)`;
  const full: Blindness[] = spool.bytes >= FULL * spool.cap ? [{ about: 'spool', says, fix: 'check that the bus takes facts' }] : [];
  return [...unseen, ...silent, ...full];
}

/** What only a restart mends. */
export const defects = ({ watches }: ExporterStats): Blindness[] =>
  Object.entries(watches).flatMap(([resource, state]) => (state === 'failed' ? [failed(resource)] : []));

/** For people: one sentence. */
export const sentence = ({ says, fix }: Blindness): string => `${says}: ${fix}.`;

const watch = (says: string, fix: string): Blindness => ({ about: 'watch', says, fix });
const failed = (resource: string): Blindness =>
  watch(`The watch on ${resource} ended by a defect of the exporter`, 'restart it, and report the error in its log');

/** A resource that is not served (`absent`) hides nothing: its operator is not installed. */
const WATCH: Record<string, (resource: string) => Blindness> = {
  starting: (resource) => watch(`The first list of ${resource} is not in yet`, 'wait, and look into its log if it stays so'),
  blind: (resource) => watch(`The watch on ${resource} is interrupted`, 'check the API server, and the right to list and watch it'),
  failed,
};

const SOURCE: Record<string, string> = {
  'audit-webhook': 'check --audit-webhook-config-file of the API server, and that it reaches this port',
  'audit-file': 'check --audit-log-path of the API server, and that the file is readable here',
  'audit-cloudwatch': 'check that audit logging of the cluster is on, and the right logs:FilterLogEvents',
};
