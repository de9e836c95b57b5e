/** A seeded source of choices (mulberry32): the same seed makes the same cases. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  return { below, pick, chance: (probability) => next() < probability, some: (n, make) => Array.from({ length: n }, make) };
}

/** JSON in which numbers are spelled in different ways: 3, 3.0, 3e0 and 30e-1 are the same number to EventBridge. */
export function spelled(value, random) {
  if (typeof value === 'number') {
    const plain = JSON.stringify(value);
    if (/e/.test(plain) || random.chance(0.8)) return plain;
    return random.pick([`${plain}e0`, `${plain}E+00`, plain.includes('.') ? `${plain}0` : `${plain}.0`]);
  }
  if (Array.isArray(value)) return `[${value.map((item) => spelled(item, random)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${spelled(item, random)}`).join(',')}}`;
}
