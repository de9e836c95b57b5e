/** Whether the request path at this offset names one of the wanted resources. */
export type PathJudge = (buffer: Uint8Array, at: number) => 'wanted' | 'unwanted' | 'unsure';

const SLASH = 0x2f;
const bytes = (ascii: string): Uint8Array => Buffer.from(ascii, 'latin1');
const API = bytes('/api/v1/');
const APIS = bytes('/apis/');
const NAMESPACES = bytes('namespaces/');
/** Before a resource they are verbs of old; after a namespace they are subresources of the namespace. In both places: a doubt. */
const SPECIAL = ['watch', 'proxy', 'status', 'finalize'];

/** Bytes of a path segment that mean themselves; what ends one; 0 is for all others (percent, backslash, capitals): a doubt. */
const PLAIN = 1;
const END = 2;
const CLASS = new Uint8Array(256);
CLASS.fill(PLAIN, 0x61, 0x7b).fill(PLAIN, 0x30, 0x3a);
CLASS[0x2d] = CLASS[0x2e] = PLAIN;
CLASS[SLASH] = CLASS[0x3f] = CLASS[0x22] = END;

const { imul } = Math;
/** Of 30 bits, so that it stays a small integer. Two segments of one hash are no danger: bytes decide then. */
const mix = (hash: number, byte: number): number => (imul(hash, 31) + byte) & 0x3fffffff;
const hashOf = (ascii: string, seed: number): number => bytes(ascii).reduce(mix, seed);

/**
 * Judges request paths as kube-apiserver's RequestInfoFactory reads them: objectRef's group and resource are taken from the path alone, and
 * from these segments of it: `/api/v1/…` or `/apis/GROUP/VERSION/…`, then `RESOURCE` or `namespaces/NAME/RESOURCE`.
 */
export function pathJudge(resources: { group: string; resource: string }[]): PathJudge {
  const wanted = new Map(
    resources.map(({ group, resource }) => [
      hashOf(resource, mix(hashOf(group, 0), SLASH)),
      { group: bytes(group), resource: bytes(resource) },
    ]),
  );
  const special = new Set(SPECIAL.map((word) => hashOf(word, 0)));

  return (buffer, start) => {
    let at = start;
    let group = 0;
    if (standsAt(buffer, at, API)) at += API.length;
    else if (standsAt(buffer, at, APIS)) {
      at += APIS.length;
      for (; CLASS[buffer[at] as number] === PLAIN; at += 1) group = mix(group, buffer[at] as number);
      if (at === start + APIS.length || buffer[at] !== SLASH) return 'unsure';
      const version = at + 1;
      at = afterSegment(buffer, version);
      if (at === version || buffer[at] !== SLASH) return 'unsure';
      at += 1;
    } else return 'unsure';

    if (standsAt(buffer, at, NAMESPACES)) {
      const name = at + NAMESPACES.length;
      const end = afterSegment(buffer, name);
      if (end === name || CLASS[buffer[end] as number] !== END) return 'unsure';
      // Otherwise the request is about the namespace itself.
      if (buffer[end] === SLASH) at = end + 1;
    }
    const resource = at;
    let word = 0;
    let hash = mix(group, SLASH);
    for (; CLASS[buffer[at] as number] === PLAIN; at += 1) {
      word = mix(word, buffer[at] as number);
      hash = mix(hash, buffer[at] as number);
    }
    if (at === resource || CLASS[buffer[at] as number] !== END || special.has(word)) return 'unsure';
    const one = wanted.get(hash);
    if (one === undefined) return 'unwanted';
    const isIt = one.resource.length === at - resource && standsAt(buffer, resource, one.resource) && groupStands(buffer, start, one.group);
    return isIt ? 'wanted' : 'unsure';
  };
}

function standsAt(buffer: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i += 1) if (buffer[at + i] !== expected[i]) return false;
  return true;
}

/** Whether the path that begins there is one of this group. */
function groupStands(buffer: Uint8Array, start: number, group: Uint8Array): boolean {
  if (group.length === 0) return standsAt(buffer, start, API);
  const at = start + APIS.length;
  return standsAt(buffer, start, APIS) && standsAt(buffer, at, group) && buffer[at + group.length] === SLASH;
}

function afterSegment(buffer: Uint8Array, from: number): number {
  let at = from;
  while (CLASS[buffer[at] as number] === PLAIN) at += 1;
  return at;
}
