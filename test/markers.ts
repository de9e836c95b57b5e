import { gunzipSync } from 'node:zlib';

/** Every secret that a test plants begins so. */
export const MARKER = 'hunter2-';

/** The planted secrets in a text, in clear or inside base64 (also of gzip, also twice): what a reader could find. */
export function markersIn(text: string, depth = 0): string[] {
  const clear = text.match(/hunter2-[A-Za-z0-9-]*/g) ?? [];
  if (depth > 4) return clear;
  const packed = text.match(/[A-Za-z0-9+/_-]{12,}={0,2}/g) ?? [];
  return [
    ...clear,
    ...packed.flatMap((part) =>
      [0, 1, 2, 3].flatMap((offset) => decoded(part.slice(offset)).flatMap((inner) => markersIn(inner, depth + 1))),
    ),
  ];
}

function decoded(part: string): string[] {
  const bytes = Buffer.from(part.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      return [gunzipSync(bytes).toString('latin1')];
    } catch {
      return [];
    }
  }
  const text = bytes.toString('latin1');
  return /hunter2-|[A-Za-z0-9+/]{12,}/.test(text) && /^[\s\u0020-\u007e]*$/.test(text.slice(0, 64)) ? [text] : [];
}
