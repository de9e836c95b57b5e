import { namesCredential } from './credential-forms.ts';

/** A part of a text: from, to (exclusive). */
export type Range = [from: number, to: number];

/** What stands between a name and its value; `%3D` in encoded URLs, `>` in XML, a space after an option of a command. */
const SEPARATOR = /:=|=>|[:=]|%3[AD]|<\/|(?<=<[\w.:-]{1,64})>|(?<=(?:^|\s)--?[A-Za-z][\w.-]{0,64}) +/gi;
const LONGEST_NAME = 64;
/** Names that are ordinary words, too: before a colon they say something only with quotes or an odd value. */
const WORDS = /^(secret|token|auth|credentials?|username|pass|signature|cookie|authorization|psk|dsn)$/i;
/** Query parameters that are credentials there and nowhere else. */
const QUERY = /^(sig|key|auth|code|[xX]-(Amz|Goog)-(Signature|Credential|Security-Token))$/;
const SIGNATURE = /(signature|sharedaccesskey|accountkey)$/i;
/** It holds the rest of its line: schemes, several cookies. */
const WHOLE_LINE = /^(proxy-?)?authorization$|^(set-?)?cookie$/i;
const NOTHING = /^(null|nil|none|true|false|~|<nil>|\*+|redacted-[0-9a-f]{12})$/i;
/** No credential is a plain word of a sentence. */
const ODD = /\d|[a-z][A-Z]|[^\w\s.,;:!?'"()<>-]/;

/**
 * Finds values that a text gives to a name which names a credential: `password=…`, `"apiKey": "…"`, `--token …`, `Authorization: …`, YAML, XML, properties,
 * URLs, also quoted, spaced and escaped. The name and its separator stay. Each step looks back at a bounded piece and goes on behind what it took, so the
 * time is linear.
 */
export function assignmentsIn(text: string): Range[] {
  const found: Range[] = [];
  let taken = 0;
  for (const { 0: separator, index } of text.matchAll(SEPARATOR)) {
    if (index < taken || separator === '</') continue;
    const name = nameBefore(text, index);
    if (name === undefined || name.from < taken || !isCredential(text, name)) continue;
    const range = valueAfter(text, index + separator.length, name, separator);
    if (range === undefined) continue;
    found.push(range);
    taken = range[1];
  }
  return found;
}

interface Name {
  text: string;
  from: number;
  quoted: boolean;
  /** Space stands between it and the separator. */
  apart: boolean;
}

/** The name that ends before a place, in quotes (also escaped ones) or not. */
function nameBefore(text: string, end: number): Name | undefined {
  const spaced = back(text, end, ' \t', 16);
  const unclosed = back(text, spaced, ']', 1);
  const entity = ['%22', '%27', '&quot;'].find((one) => text.endsWith(one, unclosed));
  const unquoted = entity === undefined ? back(text, unclosed, '"\'\\', 4) : unclosed - entity.length;
  const from = back(text, unquoted, NAME, LONGEST_NAME);
  if (from === unquoted) return undefined;
  const name = text.slice(from, unquoted).replace(/^-+/, '');
  return { text: name, from, quoted: unquoted < unclosed, apart: spaced < end };
}

const NAME = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-';
/** Where a run of these characters begins that ends before a place. */
function back(text: string, end: number, characters: string, most: number): number {
  let at = end;
  while (at > 0 && end - at < most && characters.includes(text.charAt(at - 1))) at -= 1;
  return at;
}

function isCredential(text: string, { text: name, from }: Name): boolean {
  if (namesCredential(name, 'text') || SIGNATURE.test(name)) return true;
  return '?&;'.includes(text[from - 1] ?? ' ') && QUERY.test(name);
}

/** Where the value is, without its quotes. Undefined: there is none, or what stands there is a sentence. */
function valueAfter(text: string, start: number, name: Name, separator: string): Range | undefined {
  const lead = /^(?:[ \t]{0,16}\\?\n?[ \t]{0,16})(\\{0,3}(?:["']{1,3}|&quot;|%22|%27))?/.exec(text.slice(start, start + 48));
  const quote = lead?.[1];
  const from =
    start + (quote === undefined ? (/^[ \t]{0,16}/.exec(text.slice(start, start + 16))?.[0].length ?? 0) : (lead?.[0].length ?? 0));
  const whole = WHOLE_LINE.test(name.text);
  if (quote !== undefined) {
    const to = closing(text, from, quote);
    return to > from && !NOTHING.test(text.slice(from, Math.min(to, from + 24))) ? [from, to] : undefined;
  }
  if (separator === '>') return upTo(text, from, /</g);
  const block = separator.trim() === ':' && blockAfter(text, from);
  if (block) return block;
  // A header in quotes ends with them; its value may have some of its own.
  const around = text[name.from - 1] ?? '';
  const line = around === '"' ? /[\r\n"]|$/g : around === "'" ? /[\r\n']|$/g : /[\r\n]|$/g;
  const range = upTo(text, from, whole ? line : /[\s,;"'`)}\]#&<>]|\\[nrt"']|%26|$/g);
  if (range === undefined) return undefined;
  const value = text.slice(...range);
  if (NOTHING.test(value.slice(0, 24))) return undefined;
  if (separator.trim() === ':' && !whole && (WORDS.test(name.text) || (name.quoted && name.apart)) && !ODD.test(value)) return undefined;
  // What an option is given is not another option; `token_type -` is a list.
  if (separator.trim() === '' && value.startsWith('-')) return undefined;
  return range;
}

/** Where a quoted value ends: at its quote, which is not escaped more than the first one was; else with the text. */
function closing(text: string, from: number, quote: string): number {
  const [, slashes = '', mark = quote] = /^(\\*)(.+)$/.exec(quote) ?? [];
  for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + 1)) {
    let escapes = 0;
    while (escapes <= slashes.length + 1 && text[at - 1 - escapes] === '\\' && at - 1 - escapes >= from) escapes += 1;
    if (escapes <= slashes.length) return at - escapes;
  }
  return text.length;
}

/** A YAML block: `|` or `>`, then lines that are indented. */
function blockAfter(text: string, from: number): Range | undefined {
  const head = /^[|>][+-]?\d?[ \t]{0,9}\n/.exec(text.slice(from, from + 16))?.[0];
  if (head === undefined) return undefined;
  let to = from + head.length;
  for (let end = to; text[to] === ' ' || text[to] === '\t' || text[to] === '\n'; to = end) {
    end = text.indexOf('\n', to) + 1 || text.length;
    if (end === to) break;
  }
  return [from + head.length, to];
}

function upTo(text: string, from: number, end: RegExp): Range | undefined {
  end.lastIndex = from;
  const to = end.exec(text)?.index ?? text.length;
  return to > from ? [from, to] : undefined;
}
