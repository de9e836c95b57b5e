/** The parts of a path in the Kubernetes API; absent parts end it early: a group alone is a path of discovery. */
export interface ApiPath {
  /** `''` is the core group. */
  group: string;
  version?: string | undefined;
  /** Plural, lower case: `kafkas`. */
  resource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

/** A part that the API server does not accept where it stands. The answer to the question is unknown, and nothing was sent. */
export class InvalidPathError extends Error {
  override name = 'InvalidPathError';
  /** What sends requests says so of errors before them. */
  readonly sent = false;
}

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
/** DNS-1123 label. */
const label = new RegExp(`^${LABEL}$`);

/**
 * What each part may be, after apimachinery's `validation.go` and `path/name.go`. A name need not be a DNS name (`system:node` is a ClusterRole), but it is
 * one segment of a path.
 */
export const API_PARTS = {
  group: new RegExp(`^(?=.{0,253}$)(?:${LABEL}(?:\\.${LABEL})*)?$`),
  version: label,
  // `/api/v1/watch/secrets` is the API server's old way to watch Secrets with their data; it serves no resource of these names.
  resource: new RegExp(`^(?!(?:watch|proxy)$)${LABEL}$`),
  namespace: label,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
  name: /^(?!\.{1,2}$)[^/%\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,253}$/,
  subresource: label,
} satisfies { [part in keyof Required<ApiPath>]: RegExp };

/** Where an API server lists its groups. */
export const API_GROUPS = '/apis';

/** The path of an API group, version, collection, object or subresource: the one place that builds it. Throws InvalidPathError. */
export function apiPath(parts: ApiPath): string {
  for (const [part, form] of Object.entries(API_PARTS)) {
    const value = parts[part as keyof ApiPath];
    if (value !== undefined && !form.test(value))
      throw new InvalidPathError(`${JSON.stringify(value.slice(0, 80))} is not a valid ${part}`);
  }
  const { group, version, resource, namespace, name, subresource } = parts;
  const segments = [
    ...(group === '' ? ['api'] : ['apis', group]),
    ...(version === undefined ? [] : [version]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    ...[resource, name, subresource].filter((part) => part !== undefined),
  ];
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
