import type { Secrets } from './secrets.ts';

/** Asks for a secret once in `keep` milliseconds (five minutes): a rotated one is known after that time. What failed is asked again at once. */
export function cached(secrets: Secrets, now: () => number, keep = 300_000): Secrets {
  const known = new Map<string, { value: Promise<string>; until: number }>();
  return {
    get(name) {
      const found = known.get(name);
      if (found && now() < found.until) return found.value;
      const value = secrets.get(name);
      known.set(name, { value, until: now() + keep });
      value.catch(() => known.delete(name));
      return value;
    },
  };
}
