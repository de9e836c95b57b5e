/** How a control-plane log message of EKS ends when it was too long. */
const MARK = '[Truncated...]';

/** The bodies stand behind everything that says who wrote what; quotes in strings are escaped, so these bytes are keys. */
const BODY = /,"(?:requestObject|responseObject)":[[{]/g;

/** Whether CloudWatch Logs has only the beginning of this message. */
export const isTruncated = (message: string): boolean => message.endsWith(MARK);

/** The audit event without its bodies, as at level Metadata, from a message cut off within them; undefined when it was cut off before. `at` in milliseconds. */
export function withoutBodies(message: string, at: number): unknown {
  BODY.lastIndex = message.indexOf('"objectRef":');
  const cut = BODY.exec(message)?.index;
  if (cut === undefined) return undefined;
  // Written behind the bodies, and lost with them. The API server sets the same annotation when it truncates.
  const rest = { stageTimestamp: new Date(at).toISOString(), annotations: { 'audit.k8s.io/truncated': 'true' } };
  try {
    return { ...(JSON.parse(`${message.slice(0, cut)}}`) as object), ...rest };
  } catch {
    return undefined;
  }
}
