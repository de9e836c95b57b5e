import { describe, expect, it } from '@jest/globals';
import { oneLine } from '../shared/one-line.ts';
import { escaped } from '../shared/slack/text.ts';
import { paint, shown } from './terminal.ts';

const ATTACKS: Record<string, string> = {
  'clears the screen': '\u001b[2J',
  'writes the clipboard (OSC 52)': '\u001b]52;c;ZXZpbA==\u0007',
  'names a link (OSC 8)': '\u001b]8;;https://evil\u001b\\here',
  'hides text (SGR)': '\u001b[8mhidden',
  'clears the screen in one byte (CSI of C1)': '\u009b2J',
  'begins a command string (DCS of C1)': '\u0090x\u009c',
  'overwrites the line (CR)': '\rverified',
  'forges a line (LF)': '\nabcd  verified',
  'forges a line (VT, FF, NEL)': 'a\u000bb\u000cc\u0085d',
  'forges a line (LS, PS)': 'a\u2028b\u2029c',
  'erases what stands before (BS, DEL)': '\b\b\u007f',
  'rings, and ends a string (BEL, NUL)': '\u0007\u0000',
  'reorders text (RLO, isolates, marks)': '\u202edenied\u202c \u2066x\u2069 \u200e\u200f\u061c',
};
const COLOURS = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');
const ACTING = /[\p{Cc}\u2028-\u202e\u2066-\u2069\u200e\u200f\u061c]/u;

describe('text of a cluster', () => {
  it.each(Object.entries(ATTACKS))('that %s reaches no terminal as it is', (_, attack) => {
    expect(attack).toMatch(ACTING);
    expect(shown(`object: ${attack}!`)).toMatch(/^object: .*!$/);
    expect(shown(attack)).not.toMatch(ACTING);
    expect(shown(paint('bold', attack)).replace(COLOURS, '')).not.toMatch(ACTING);
    expect(escaped(attack)).not.toMatch(ACTING);
  });

  it('is the same JSON document afterwards', () => {
    const document = { text: Object.values(ATTACKS).join(' and '), more: ['ä', '漢', '👩‍👧', '\t'] };
    expect(JSON.parse(shown(JSON.stringify(document)))).toEqual(document);
  });

  it('that is harmless stays as it is', () => {
    const text = 'Kafka "my-cluster" is NotReady: größer 漢字 👩‍👧 → 5 %\ttab';
    expect(oneLine(text)).toBe(text);
  });

  it('cannot make a colour of ours: the mark is random in each process', () => {
    expect(shown('\u0000:1mbold\u0000:22m')).toBe('\\u0000:1mbold\\u0000:22m');
  });
});
