/**
 * Characters that act on whatever shows them instead of being shown: C0 and C1 controls (terminal escapes, line breaks) and DEL, line and paragraph
 * separators, and the marks that reorder text (Unicode's Bidi_Control). A tab stays.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it finds
const ACTING = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r' };

/** Text that others chose, safe to show as one line. What acts is shown as an escape of JSON, so a JSON document stays the same document. */
export const oneLine = (text: string): string =>
  text.replace(ACTING, (found) => SHORT[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
