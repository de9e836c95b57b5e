import type { Range } from './credential-assignments.ts';

/** Scheme and authority, as far as a URL goes. */
const URL_REST = /:\/\/([^\s"'`<>\\]{1,4096})/g;

/** The user and password of every URL, also of one whose password holds `@` or `/`. Not the user that every Git host has, nor a digest of an image. */
export function urlUsersIn(text: string): Range[] {
  const found: Range[] = [];
  for (const { 1: rest = '', index } of text.matchAll(URL_REST)) {
    const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
    const at = authority.includes('@') ? authority.lastIndexOf('@') : beyondSlash(authority, rest);
    const user = rest.slice(0, Math.max(at, 0));
    if (user === '' || user === 'git' || user.startsWith('[') || rest.startsWith('sha256:', at + 1)) continue;
    const from = index + '://'.length;
    found.push([from, from + user.length]);
  }
  return found;
}

/** `user:pass/word@host`: what stands behind the colon is no port. -1: there is no user. */
function beyondSlash(authority: string, rest: string): number {
  const colon = authority.indexOf(':');
  if (colon < 0 || /^\d{0,5}$/.test(authority.slice(colon + 1))) return -1;
  const query = rest.search(/[?]/);
  return (query < 0 ? rest : rest.slice(0, query)).lastIndexOf('@');
}

/** Runs of base64, standard or for URLs, also with line breaks inside. */
const BASE64 = /(?<![\w+/-])[\w+/-]{16,}={0,2}(?:\r?\n[\w+/-]{16,}={0,2}){0,4096}/g;
/** Inside of what is encoded something may be encoded again. */
const DEEPEST = 2;

/** Runs of base64 that hold a text which holds a credential. */
export function encodedIn(text: string, credentialsIn: (text: string, depth: number) => Range[], depth: number): Range[] {
  if (depth >= DEEPEST) return [];
  return [...text.matchAll(BASE64)].flatMap(({ 0: run, index }): Range[] =>
    textsOf(run).some((inner) => credentialsIn(inner, depth + 1).length > 0 || isLogin(inner)) ? [[index, index + run.length]] : [],
  );
}

/** `user:password`, as Basic authentication and registries encode it. */
const isLogin = (text: string): boolean => /^[\w.@+-]{1,128}:[\u0021-\u007e]{6,256}$/.test(text);

/** What a run says, if that is text. The run may begin in the middle of a group of four. */
function textsOf(run: string): string[] {
  const joined = run.replace(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/');
  return [0, 1, 2, 3].flatMap((offset) => {
    const text = Buffer.from(joined.slice(offset), 'base64').toString('latin1');
    return /^[\t\n\r\u0020-\u007e]+$/.test(text) ? [text] : [];
  });
}
