import { gunzipSync, gzipSync } from 'node:zlib';

/** What a person still wants to read in the console stands there as text. */
const READABLE = 30_000;

/** A text as an attribute of DynamoDB: readable, or compressed where it is long. */
export const packText = (text: string): { S: string } | { B: Uint8Array } =>
  text.length <= READABLE ? { S: text } : { B: gzipSync(text) };

/** The text in such an attribute; undefined when it holds none. */
export function unpackText({ S: text, B: packed }: { S?: string | undefined; B?: Uint8Array | undefined } = {}): string | undefined {
  return text ?? (packed && gunzipSync(packed).toString('utf8'));
}
