import { PatternError } from './pattern-error.ts';

/** The literals between the asterisks of a wildcard; `\*` and `\\` are literal. Throws PatternError. */
export function wildcardParts(pattern: string, path: string): string[] {
  const parts = [''];
  let after = '';
  for (const token of pattern.match(/\\[*\\]|./gs) ?? []) {
    if (token === '\\')
      throw new PatternError(`${path} has a backslash that escapes nothing. Write \\\\ for a backslash and \\* for an asterisk.`);
    if (token === '*' && after === '*')
      throw new PatternError(`${path} has two asterisks in a row, which EventBridge refuses. One is enough.`);
    if (token === '*') parts.push('');
    else parts.push((parts.pop() ?? '') + token.slice(-1));
    after = token;
  }
  return parts;
}

/** Whether `value` is the literals in order with anything between them. Taking each where it comes first is enough, so the time is linear. */
export function glob([first = '', ...rest]: readonly string[], value: string): boolean {
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first) || !value.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = value.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= value.length - last.length;
}
