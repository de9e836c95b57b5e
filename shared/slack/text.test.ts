import { describe, expect, it } from '@jest/globals';
import { wrongMarkup } from '../../test/slack/check-blocks.ts';
import { clock, code, escaped, fitLines, truncate, words } from './text.ts';

describe('truncating', () => {
  it.each<[string, string, number, string]>([
    ['what fits', 'abc', 3, 'abc'],
    ['what is one too long', 'abcdef', 5, 'abc…'],
    ['nothing', '', 5, ''],
    ['an entity at the end', 'ab&amp;c', 7, 'ab…'],
    ['an entity that just fits', '&amp;bcdef', 8, '&amp;b…'],
    ['a link', 'see <https://a.b/c|name> now', 20, 'see …'],
    ['a link that ended before', '<https://a.b|n> and more words', 20, '<https://a.b|n> an…'],
    ['half a character', 'ab😀cd', 5, 'ab…'],
    ['code', '`abcdefgh`', 7, '`abcd…`'],
    ['code that ended before', '`ab` cdefgh', 9, '`ab` cd…'],
  ])('%s', (_, text, longest, expected) => {
    const cut = truncate(text, longest);
    expect(cut).toBe(expected);
    expect(cut.length).toBeLessThanOrEqual(longest);
  });

  it('never leaves markup open nor is too long, wherever it cuts', () => {
    const text =
      `a ${code('v1 <b> & `c`')} & ${clock('2026-11-21T04:05:06Z')} <https://github.com/a/b/issues/1|a/b#1> 😀 ${code('x')}`.replace(
        ' & ',
        ' &amp; ',
      );
    for (let longest = 2; longest <= text.length + 1; longest += 1) {
      const cut = truncate(text, longest);
      expect({ longest, wrong: wrongMarkup(cut), fits: cut.length <= longest, whole: cut.isWellFormed() }).toEqual({
        longest,
        wrong: [],
        fits: true,
        whole: true,
      });
    }
  });

  it.each<[string[], number, string]>([
    [['one', 'two', 'three'], 20, 'one\ntwo\nthree'],
    [['one', 'two', 'three'], 13, 'one\ntwo\nthree'],
    [['one', 'two', 'three', 'four'], 17, 'one\n… and 3 more'],
    [['one', 'two', 'three', 'fourteen'], 20, 'one\ntwo\n… and 2 more'],
    [['a line that is too long', 'two'], 20, 'a lin…\n… and 1 more'],
    [['a line that is too long'], 12, 'a line tha…'],
  ])('lines %j to %i characters', (lines, longest, expected) => {
    expect(fitLines(lines, longest)).toBe(expected);
    expect(expected.length).toBeLessThanOrEqual(longest);
  });
});

describe('texts', () => {
  it.each([
    ['<!channel> & <@U1>', '&lt;!channel&gt; &amp; &lt;@U1&gt;'],
    ['&amp;', '&amp;amp;'],
  ])('escape %s', (text, expected) => expect(escaped(text)).toBe(expected));

  it('put a value on one line, and nothing in it ends the code', () => expect(code('a `b`\n<c>')).toBe('`a ˋbˋ &lt;c&gt;`'));
  it('show an empty value', () => expect(code('')).toBe('` `'));
  it('put words on one line', () => expect(words(' a\n\tb ')).toBe('a b'));
  it('show a time on the clock of the reader', () =>
    expect(clock('2026-11-21T04:05:06.700Z')).toBe('<!date^1795233906^{time_secs}|04:05:06 UTC>'));
  it('show a time that is none as it is', () => expect(clock('<soon>')).toBe('&lt;soon&gt;'));
});
