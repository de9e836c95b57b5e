import { own } from '../../shared/own.ts';
import type { AskedStatus } from './ask-exporter.ts';
import { type Finding, fine, wrong } from './finding.ts';

/** Bookmarks come about every 60 s. */
const WATCH_LAG = 120;
/** Above this share of its cap a spool deserves a look. */
const FILLING = 0.7;

/** What the exporter's own numbers say, each with its fix. */
export function exporterFindings(status: AskedStatus): Finding[] {
  return [
    fine('exporter', `it exports ${status.cluster}`),
    watches(status),
    audit(status),
    age(status),
    gaps(status),
    spool(status),
    bus(status),
  ];
}

function watches({ blindness, stats }: AskedStatus): Finding {
  const interrupted = blindness.filter(({ about }) => about === 'watch');
  if (interrupted.length > 0) return wrong('watch', joined(interrupted.map(({ says }) => says)), joined(interrupted.map(({ fix }) => fix)));
  const states = Object.values(stats.watches);
  const absent = Object.keys(stats.watches).filter((resource) => stats.watches[resource] === 'absent');
  const missing = absent.length > 0 ? `; not installed: ${absent.join(', ')}` : '';
  return fine('watch', `${states.length - absent.length} resources are watched${missing}`);
}

function audit({ auditSources, blindness, stats }: AskedStatus): Finding {
  const silent = blindness.filter(({ about }) => about === 'audit');
  if (silent.length > 0) return wrong('audit', joined(silent.map(({ says }) => says)), joined(silent.map(({ fix }) => fix)));
  if (auditSources.length === 0) {
    const fix = 'give it --audit-listen, --audit-file or --audit-cloudwatch';
    return wrong('audit', 'There is no audit source: nobody is named as the writer, and no-op writes stay unseen', fix);
  }
  const waiting = auditSources.filter((source) => stats.lastEventAt[source] === undefined);
  if (waiting.length > 0) return fine('audit', `${waiting.join(', ')}: nothing came yet, and it may still come`);
  if (stats.skewed > 0) {
    const says = `${stats.skewed} audit events have a time out of range (from the webhook: 2 s ahead to 5 minutes ago); they are counted when they arrived`;
    return wrong('audit', says, 'synchronize the clocks of the control-plane nodes, and check that only an API server posts audit events');
  }
  return fine('audit', `${stats.requests} writes from ${auditSources.join(', ')}`);
}

function age({ stats: { lagSeconds } }: AskedStatus): Finding {
  const ages = Object.entries(lagSeconds).map(([source, seconds]) => `${source} ${Math.round(seconds)} s`);
  if ((lagSeconds.watch ?? 0) > WATCH_LAG)
    return wrong(
      'last event',
      `The most silent watch heard nothing for ${Math.round(lagSeconds.watch ?? 0)} s, not even a bookmark`,
      'check the connection to the API server',
    );
  return fine('last event', ages.length > 0 ? `ages: ${ages.join(', ')}` : 'none yet');
}

function gaps({ stats: { dropped, relists } }: AskedStatus): Finding {
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  const relisted = `${relists} relists since its start; what they bridged is marked in the facts`;
  if (lost.length === 0) return fine('gaps', `no record lost; ${relisted}`);
  const fixes = lost.map(([reason]) => own(LOST, reason) ?? 'look for the reason in its log');
  return wrong(
    'gaps',
    `Lost records: ${lost.map(([reason, count]) => `${count} × ${reason}`).join(', ')}; ${relisted}`,
    joined([...new Set(fixes)]),
  );
}

function spool({
  blindness,
  stats: {
    spool: { bytes, cap, waiting },
  },
}: AskedStatus): Finding {
  const full = blindness.find(({ about }) => about === 'spool');
  if (full) return wrong('spool', full.says, full.fix);
  const says = `${megabytes(bytes)} of ${megabytes(cap)} MB, ${waiting} facts wait to be sent`;
  if (bytes < FILLING * cap) return fine('spool', says);
  return wrong('spool', says, 'check that the bus takes facts; raise --spool-cap if it only takes them slowly');
}

function bus({
  stats: {
    putEventsFailed,
    deadLettered,
    sent,
    spool: { waiting },
  },
}: AskedStatus): Finding {
  const failed = Object.entries(putEventsFailed).filter(([, count]) => count > 0);
  const codes = failed.map(([code, count]) => `${count} × ${code}`).join(', ');
  if (deadLettered > 0)
    return wrong(
      'sending',
      `${deadLettered} facts will never be taken (${codes})`,
      'read dead-letters.ndjson in its data folder: each line says why',
    );
  if (failed.length > 0 && waiting > 0)
    return wrong(
      'sending',
      `${waiting} facts wait; EventBridge refused ${codes}`,
      joined(failed.map(([code]) => own(REFUSED, code) ?? `look up ${code} of PutEvents`)),
    );
  return fine('sending', `${sent} facts sent${codes ? `; refused at first: ${codes}` : ''}`);
}

const LOST: Record<string, string> = {
  malformed: 'check that only an API server posts audit events',
  'spool-damaged': 'check the disk of its data folder',
  'too-many-objects': 'more objects are written than it counts: report it',
  'too-many-writes': 'more writes come than it keeps: the quietest objects are not counted; report it',
  'too-many-rejected': 'look in the audit log for a user whose requests are rejected (4xx); writes are counted all the same',
};

const REFUSED: Record<string, string> = {
  ThrottlingException: 'ask for a higher PutEvents quota in this region',
  AccessDeniedException: 'allow its role events:PutEvents on the bus',
  ResourceNotFoundException: 'check the name and region of the bus',
  CredentialsProviderError: 'give the Pod a role (Pod Identity or IRSA), or credentials',
};

const joined = (parts: string[]): string => [...new Set(parts)].join('; ');
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
