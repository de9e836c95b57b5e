import type { Json } from '../../../shared/canonical.ts';
import type { Examination } from '../../../shared/remediation.ts';
import { report, type Verdict, wait } from '../../../shared/verdict.ts';
import type { Situation } from './situation.ts';

/** Waits for 10 minutes after detection, then tells a person. */
export function undecided(because: string, { incident, now }: Examination, remember?: Json): Verdict {
  const waits = now - incident.detectedAt < 600_000;
  return waits ? wait(because, '15s', remember) : report(`/migration of an earlier attempt is in place, but ${because}`);
}

/** What only a person deletes, and in which order: a claim deleted while the node is there is the case that loses everything. */
export function beforeTheNextAttempt({ abandoned, namespace }: Situation): string[] {
  const claims = abandoned.map(({ metadata }) => metadata.name);
  return [
    ...(claims.length > 0
      ? [
          `Only after this is verified, delete what the abandoned controllers stored: kubectl -n ${namespace} delete pvc ${claims.join(' ')}`,
        ]
      : []),
    'Before the next migration: upgrade Strimzi to 0.45.2, and start with controllers that have no storage yet',
  ];
}
