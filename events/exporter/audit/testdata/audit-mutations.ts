import { type RequestInfo, requestInfo } from './request-info.ts';

type Random = () => number;

/** Globals are slow within Jest, and these are used millions of times. */
const { floor, imul } = Math;

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The parts of a recorded event that a mutation keeps, as JSON text. */
export interface Base {
  /** `user` to `userAgent`. */
  middle: string;
  /** `responseStatus` to `annotations`. */
  rest: string;
}

/** Takes a line of a log apart. */
export function baseOf(line: string): Base {
  const {
    kind: _k,
    apiVersion: _v,
    level: _l,
    auditID: _i,
    stage: _s,
    requestURI: _u,
    verb: _b,
    objectRef: _o,
    ...kept
  } = JSON.parse(line);
  const { user, impersonatedUser, authenticationMetadata, sourceIPs, userAgent, ...rest } = kept;
  return { middle: inner({ user, impersonatedUser, authenticationMetadata, sourceIPs, userAgent }), rest: inner(rest) };
}

const inner = (object: object): string => goJson(object).slice(1, -1);

/** As Go's encoding/json writes it. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

const LEVELS = [
  ...Array<string>(10).fill('Metadata'),
  ...Array<string>(4).fill('Request'),
  ...Array<string>(4).fill('RequestResponse'),
  'None',
  'Metadat\\u0061',
];
const STAGES = [...Array<string>(12).fill('ResponseComplete'), 'Panic', 'Panic', 'RequestReceived', 'ResponseStarted', 'Later'];
const METHODS = ['PUT', 'PUT', 'PATCH', 'PATCH', 'POST', 'DELETE', 'DELETE', 'GET', 'HEAD', 'OPTIONS'];
const PREFIXES = ['/apis/', '/apis/', '/apis/', '/api/', '/api/', '/api/', '//apis/', '/', '/api', '/API/', '/openapi/', '/healthz/'];
const SEGMENTS = [
  'namespaces',
  'namespaces',
  'default',
  'team-a',
  'status',
  'finalize',
  'scale',
  'watch',
  'proxy',
  'exec',
  '',
  '..',
  'n'.repeat(253),
];
const ODD = [
  '%2F',
  '%70',
  'é',
  '漢',
  '"',
  '\\',
  '<&>',
  '😀',
  'A',
  '_',
  ':',
  '%',
  ' ',
  '\u2028',
  '?',
  '","verb":"update"',
  '","verb":"get"',
];
const QUERIES = [
  '',
  '',
  '',
  '?',
  '?dryRun=All',
  '?a=b&fieldManager=x',
  '?labelSelector=a%3D"b"',
  '?x="y","verb":"get"',
  `?${'q'.repeat(900)}`,
  '?/../?\\',
];

/** Makes events in the form of kube-apiserver: other levels, stages, verbs, paths and bodies around the recorded rest. */
export function eventMaker(random: Random, bases: Base[], words: string[]): () => string {
  const pick = <T>(list: readonly T[]): T => list[floor(random() * list.length)] as T;
  /** As a client may send it: a character encoded that need not be, or an odd one. */
  const twisted = (plain: string) => {
    if (random() > 0.04) return plain;
    const at = floor(random() * (plain.length + 1));
    const encoded = plain.charCodeAt(at);
    if (random() < 0.5 && encoded < 128) return `${plain.slice(0, at)}%${encoded.toString(16).padStart(2, '0')}${plain.slice(at + 1)}`;
    return plain.slice(0, at) + pick(ODD) + plain.slice(at);
  };
  const segment = () => twisted(random() < 0.5 ? pick(words) : pick(SEGMENTS));
  const usual = () => {
    const [group, resource] = pick(words.filter((word) => word.includes('/'))).split('/') as [string, string];
    const base = group === '' ? '/api/v1' : `/apis/${group}/v1`;
    return `${base}${random() < 0.8 ? `/namespaces/${segment()}` : ''}/${twisted(resource)}${random() < 0.7 ? `/${segment()}` : ''}${random() < 0.2 ? '/status' : ''}`;
  };
  const odd = () => pick(PREFIXES) + Array.from({ length: 1 + floor(random() * 7) }, segment).join('/');
  const request = () => {
    const path = random() < 0.75 ? usual() : odd();
    const { verb, objectRef } = infoOf(pick(METHODS), path);
    const uri = `"requestURI":${goJson(path + pick(QUERIES))},"verb":${goJson(verb)},`;
    return { uri, reference: objectRef ? `"objectRef":${goJson(objectRef)},` : '' };
  };
  const digits = (count: number) =>
    floor(random() * 16 ** count)
      .toString(16)
      .padStart(count, '0');
  // Making a request costs more than judging it: each is used about ten times, around different rests.
  const requests = Array.from({ length: 2_000 }, request);
  const id = () =>
    random() < 0.97
      ? `"${digits(8)}-${digits(4)}-${digits(4)}-${digits(4)}-${digits(12)}"`
      : goJson(pick(ODD).repeat(floor(random() * 20)));
  const ids = Array.from({ length: 2_000 }, id);
  return () => {
    if (random() < 0.1) requests[floor(random() * requests.length)] = request();
    const { uri, reference } = pick(requests);
    const { middle, rest } = pick(bases);
    const head = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"${pick(LEVELS)}","auditID":${pick(ids)},"stage":"${pick(STAGES)}",`;
    return `${head}${uri}${middle},${reference}${rest}}`;
  };
}

/** The API server decodes a URI before it looks; what is no encoding stays raw. */
export function infoOf(method: string, sent: string): RequestInfo {
  const [path = ''] = sent.split('?');
  try {
    return requestInfo(method, decodeURIComponent(path));
  } catch {
    return requestInfo(method, path);
  }
}

/** Damages a line as bytes: what disks, crashes and other writers do. */
export function damage(random: Random, line: Buffer): Buffer {
  const at = () => floor(random() * (random() < 0.5 ? Math.min(line.length, 330) : line.length));
  const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
  switch (floor(random() * 8)) {
    case 0:
      return Buffer.concat([line.subarray(0, from), Buffer.of(floor(random() * 256)), line.subarray(from + 1)]);
    case 1:
      return Buffer.concat([line.subarray(0, from), line.subarray(from + 1)]);
    case 2:
      return Buffer.concat([line.subarray(0, from), Buffer.from(' "\\{}[]:,\n\t\0E'[floor(random() * 13)] as string), line.subarray(from)]);
    case 3:
      return line.subarray(0, from);
    case 4:
      return line.subarray(from);
    case 5:
      return Buffer.concat([line.subarray(0, from), line.subarray(to)]);
    case 6:
      return reordered(line);
    default:
      return Buffer.concat([line.subarray(0, from), line]); // torn, and the next one glued to it
  }
}

/** Another writer: the same event with its keys the other way round, and with whitespace. */
function reordered(line: Buffer): Buffer {
  try {
    return Buffer.from(
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line.toString('utf8'))).toReversed())).replaceAll('":', '": '),
    );
  } catch {
    return line;
  }
}
