/** The bytes of an ASCII text, to look for in a buffer. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Whether these bytes stand there. Past the end of the buffer nothing does. */
export function standsAt(buffer: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i += 1) if (buffer[at + i] !== expected[i]) return false;
  return true;
}
