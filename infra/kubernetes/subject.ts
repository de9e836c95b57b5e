import { createHash } from 'node:crypto';

/** Who gets a role. */
export type Subject = { kind: 'User'; name: string } | { kind: 'ServiceAccount'; namespace: string; name: string };

/** A part of the name of an RBAC object: two subjects never share it. A user's name may hold any character, so a part of its hash tells similar ones apart. */
export function subjectId(subject: Subject): string {
  if (subject.kind === 'ServiceAccount') return `serviceaccount:${subject.namespace}:${subject.name}`;
  const readable = subject.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 100);
  return `user:${readable}-${createHash('sha256').update(subject.name).digest('hex').slice(0, 8)}`;
}

/** A subject, as a binding names it. */
export const subjectOfBinding = (subject: Subject): object =>
  subject.kind === 'User' ? { apiGroup: 'rbac.authorization.k8s.io', ...subject } : subject;
