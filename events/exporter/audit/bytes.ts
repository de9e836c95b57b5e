/** An ASCII text of four bytes or more, cut into words of four (the last two may overlap): they are compared in a quarter of the time. */
export interface Text {
  length: number;
  words: Int32Array;
}

/** Prepares a text to be looked for. Throws for less than four bytes. */
export function text(characters: string): Text {
  const bytes = Buffer.from(characters, 'latin1');
  const last = bytes.length - 4;
  const words = Array.from({ length: Math.ceil(bytes.length / 4) }, (_, i) => bytes.readInt32BE(Math.min(4 * i, last)));
  return { length: bytes.length, words: Int32Array.from(words) };
}

/** Whether the text stands there. */
export function standsAt(view: DataView, at: number, { length, words }: Text): boolean {
  const last = words.length - 1;
  if (at + length > view.byteLength || view.getInt32(at + length - 4) !== words[last]) return false;
  for (let i = 0; i < last; i += 1) if (view.getInt32(at + 4 * i) !== words[i]) return false;
  return true;
}

/** Where the first of the texts that stands there ends; 0 when none does. */
export function after(view: DataView, at: number, texts: Text[]): number {
  for (let i = 0; i < texts.length; i += 1) {
    const one = texts[i] as Text;
    if (standsAt(view, at, one)) return at + one.length;
  }
  return 0;
}

/** Whether one of the bytes of these whole words is a quote. */
export function hasQuote(view: DataView, at: number, words: number): boolean {
  for (let i = 0; i < words; i += 1) {
    const zeroAtQuote = view.getInt32(at + 4 * i) ^ 0x22222222;
    if ((zeroAtQuote - 0x01010101) & ~zeroAtQuote & 0x80808080) return true;
  }
  return false;
}

/** The same bytes, to be read as words. */
export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);
