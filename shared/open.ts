import type { ObjectReference } from '../events/fact.ts';
import { hashOf } from './canonical.ts';
import type { Incident } from './incident.ts';
import type { Fact } from './remediation.ts';

/** Opens the incident a fact is the first sign of. */
export function open(fact: Fact, object: ObjectReference, remediation: string, ordinal: number, now: number): Incident {
  const { cluster } = fact;
  return begin({ key: keyOf(cluster, object, remediation), ordinal, cluster, remediation, object, fact }, 'the rule matched', now);
}

/**
 * One incident is open per remediation, cluster and object; the uid tells a re-created object from the old one. The remediation comes first, as in
 * a path: a store can give each remediation a part of its own.
 */
export const keyOf = (cluster: string, object: Omit<ObjectReference, 'kind'>, remediation: string): string =>
  `${remediation}/${cluster}/${object.uid ?? [object.group, object.resource, object.namespace ?? '', object.name].join(':')}`;

type Subject = Pick<Incident, 'key' | 'ordinal' | 'cluster' | 'remediation' | 'object' | 'fact'>;

/** The first revision of an incident: it is told, and examined. */
export function begin(subject: Subject, because: string, now: number): Incident {
  return {
    ...subject,
    // With the fact: after all incidents of a key expired their ordinals come again, and an id that budgets and breakers counted must not.
    id: hashOf([subject.key, subject.ordinal, subject.fact.id]).slice(0, 12),
    revision: 1,
    state: 'detected',
    because,
    detectedAt: now,
    updatedAt: now,
    factIds: [subject.fact.id],
    doubts: 0,
    changes: 0,
    effects: [
      { id: '1.0', kind: 'tell', state: 'detected', because, at: now },
      { id: '1.1', kind: 'examine', question: 'detect' },
    ],
    history: [{ at: now, state: 'detected', because }],
  };
}
