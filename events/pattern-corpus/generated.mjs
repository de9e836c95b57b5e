/** Random events and patterns that are about them. A key is always a value, an object or a list of objects, never now one and now another. */

const TEXTS = ['', 'a', 'A', 'b', 'abc', 'ABC', 'aBc', 'abcabc', 'kafka-0', 'Kafka-1', 'kafka.strimzi.io', 'my*star', '*', 'back\\slash', '\\', 'say "hi"', '"', 'Grün', 'GRÜN',
  'Straße', 'STRASSE', 'strasse', '日本語', '日本', '🙂', 'a🙂b', 'ΣΑΣ', 'σας', 'line\nbreak', 'tab\there', ' a ', 'true', 'null', '1', '1.0', 'sh.helm.release.v1.web.v41', 'i', 'I', 'K', 'k', 'é', 'É'];
const ADDRESSES = ['10.0.0.1', '10.1.2.3', '10.255.255.255', '11.0.0.0', '192.168.7.9', '192.168.8.0', '172.16.0.1', '2001:db8::1', '2001:0DB8:0:0:0:0:0:1', '2001:db8:ffff::', '2001:db9::', 'fd00::7', 'FD12::',
  '::1', '0:0:0:0:0:0:0:1', '::', '::ffff:a00:1', '::ffff:10.0.0.1', '10.0.0', '1.2.3.4.5', '10.0.0.1 ', 'host', '12:34'];
const BLOCKS = ['10.0.0.0/8', '10.0.0.0/31', '10.1.2.3/16', '10.0.0.128/25', '192.168.0.0/21', '192.168.7.0/24', '172.16.0.0/12', '2001:db8::/32', '2001:db8::/127', '2001:db8:8000::/33', 'fd00::/12', '::/127'];
const NUMBERS = [0, 1, -1, 2, 3, 4, 5, 2.5, 0.1, -0.5, 10, 100, 300, 1e9, -1e9, 4999999999, 1e-7, 0.000001, 12, 16.25];
const OTHERS = [true, false, null];

/** What a key holds. */
const SHAPE = {
  source: 'text', 'detail-type': 'text', detail: 'object', object: 'object', status: 'object', labels: 'object', name: 'text', phase: 'text', 'strimzi.io/cluster': 'text', note: 'any', writes: 'number', phantoms: 'number',
  ready: 'other', address: 'address', tags: 'values', ports: 'numbers', matrix: 'lists', conditions: 'objects', actors: 'objects', pods: 'objects', containers: 'objects', type: 'text', state: 'any',
};
const INSIDE = {
  detail: ['object', 'status', 'writes', 'phantoms', 'note', 'tags', 'actors', 'pods', 'address', 'matrix', 'phase'],
  object: ['name', 'labels', 'phase', 'ready', 'ports', 'note'],
  status: ['conditions', 'phase', 'writes', 'ready', 'tags'],
  labels: ['name', 'strimzi.io/cluster', 'phase'],
  conditions: ['type', 'state', 'ready', 'note'],
  actors: ['name', 'writes', 'tags', 'address'],
  pods: ['name', 'phase', 'containers', 'ready', 'ports'],
  containers: ['name', 'state', 'ready', 'ports'],
};
const TOP = ['source', 'detail-type', 'detail', 'status', 'pods', 'tags', 'writes'];

const few = (random, most) => random.below(most + 1);

function value(kind, random) {
  switch (kind) {
    case 'text': return random.pick(random.chance(0.6) ? TEXTS.slice(0, 8) : TEXTS);
    case 'number': return random.pick(NUMBERS);
    case 'numbers': return random.some(few(random, 3), () => random.pick(NUMBERS));
    case 'address': return random.pick(ADDRESSES);
    case 'values': return random.some(few(random, 4), () => value(random.pick(['text', 'text', 'number', 'other']), random));
    case 'lists': return random.some(few(random, 3), () => value('values', random));
    case 'other': return random.pick(OTHERS);
    default: return value(random.pick(['text', 'number', 'other', 'address', 'values']), random);
  }
}

/** An object with some of the keys that may stand in `parent`. */
export function event(random, keys = TOP, depth = 0) {
  const result = {};
  for (const key of keys) {
    if (random.chance(0.25)) continue;
    const kind = SHAPE[key];
    if (kind === 'object') result[key] = event(random, INSIDE[key], depth + 1);
    else if (kind === 'objects') result[key] = random.some(few(random, 3), () => (random.chance(0.05) ? value('text', random) : event(random, INSIDE[key], depth + 1)));
    else result[key] = value(kind, random);
  }
  return result;
}

const scalars = (found) => (Array.isArray(found) ? found.flatMap(scalars) : found === undefined || (typeof found === 'object' && found !== null) ? [] : [found]);
const swapCase = (text) => [...text].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('');
const foldable = (text) => !/[\ud800-\udfff]/.test(text);
const literal = (text) => text.replace(/[\\*]/g, '\\$&');

function part(text, random) {
  const letters = [...text];
  const from = random.below(letters.length + 1);
  return random.chance(0.5) ? letters.slice(0, from).join('') : letters.slice(from).join('');
}

function wildcard(text, random) {
  const letters = [...text];
  const from = random.below(letters.length + 1);
  const to = from + random.below(letters.length - from + 1);
  const star = random.pick(['*x*', '*', '*', '*']);
  return literal(letters.slice(0, from).join('')) + star + literal(letters.slice(to).join(''));
}

function between(number, random) {
  const step = random.pick([0, 0.5, 1, 100]);
  const [low, high] = [number - step, number + random.pick([0.25, 1, 100])];
  return random.pick([
    ['=', number], ['>=', low], ['>', low], ['<=', high], ['<', number], ['<', high],
    [random.pick(['>', '>=']), low, random.pick(['<', '<=']), high],
  ]);
}

/** A test that is about `about`, which it may or may not match. */
function test(about, random) {
  const options = [() => about, () => ({ exists: random.chance(0.7) }), () => ({ 'anything-but': random.pick([random.pick(TEXTS), [random.pick(TEXTS), random.pick(TEXTS)], random.pick(NUMBERS), [1, 2]]) })];
  if (typeof about === 'number') {
    options.push(() => ({ numeric: between(about, random) }), () => ({ numeric: between(about, random) }), () => ({ 'anything-but': random.chance(0.5) ? about : [about, 7] }));
  }
  if (typeof about === 'string') {
    const piece = part(about, random);
    const folded = foldable(about) ? random.pick([about, swapCase(about), about.toLowerCase()]) : 'abc';
    const foldedPiece = foldable(piece) ? swapCase(piece) : 'a';
    options.push(
      () => ({ prefix: piece }), () => ({ suffix: piece }), () => ({ prefix: { 'equals-ignore-case': foldedPiece } }), () => ({ suffix: { 'equals-ignore-case': foldedPiece } }),
      () => ({ 'equals-ignore-case': folded }), () => ({ wildcard: wildcard(about, random) }), () => ({ wildcard: wildcard(about, random) }),
      () => ({ 'anything-but': random.chance(0.5) ? about : [about, 'zzz'] }),
      () => ({ 'anything-but': { [random.pick(['prefix', 'suffix'])]: random.pick([piece || 'q', ['q', piece || 'a']]) } }),
      () => ({ 'anything-but': { 'equals-ignore-case': random.pick([folded, [folded, 'q']]) } }),
      () => ({ 'anything-but': { wildcard: random.pick([wildcard(about, random), ['q*', wildcard(about, random)]]) } }),
    );
    if (ADDRESSES.includes(about)) options.push(...random.some(6, () => () => ({ cidr: random.pick(BLOCKS) })));
  }
  return random.pick(options)();
}

/** A list of tests; wildcards stand with wildcards only, because event-ruler answers other mixtures wrongly. */
function tests(found, key, random) {
  const known = scalars(found);
  const about = () => (known.length > 0 && random.chance(0.85) ? random.pick(known) : scalars(value(SHAPE[key], random))[0] ?? 'a');
  const list = random.some(random.pick([1, 1, 1, 2, 3]), () => test(about(), random));
  const wild = list.find((item) => JSON.stringify(item).includes('"wildcard":'));
  if (!wild) return list;
  return wild.wildcard === undefined || random.chance(0.6) ? [wild] : [wild, { wildcard: wildcard(random.pick(TEXTS), random) }];
}

/** A pattern for `parent`, with one to three keys and now and then a `$or`. */
export function pattern(random, parent, keys = TOP, depth = 0) {
  const present = keys.filter((key) => parent?.[key] !== undefined);
  const names = new Set(random.some(random.pick(depth === 0 ? [1, 2, 3] : [1, 1, 2]), () => random.pick(present.length > 0 && random.chance(0.9) ? present : keys)));
  const result = {};
  for (const key of names) {
    const found = parent?.[key];
    if (!INSIDE[key]) result[key] = tests(found, key, random);
    else result[key] = pattern(random, Array.isArray(found) ? random.pick(found) : found, INSIDE[key], depth + 1);
  }
  if (depth < 3 && random.chance(0.12)) {
    const branches = random.some(random.pick([2, 2, 3]), () => pattern(random, parent, keys, depth + 1));
    // Before or after its siblings: where both name one path, event-ruler keeps the later.
    return random.chance(0.5) ? { ...result, $or: branches } : { $or: branches, ...result };
  }
  return result;
}
