import { oneLine } from '../one-line.ts';

/** The three characters that have a meaning in Slack's texts, so no mention or link comes out of what an operator or a user wrote; and what would reorder it. */
export const escaped = (text: string): string => oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A value in code style: nothing in it formats anything, and it stays on its line. Escaped. */
export function code(value: string, longest = 300): string {
  const line = value.replaceAll('`', 'ˋ').replace(/\s+/g, ' ').trim();
  return `\`${truncate(escaped(line === '' ? ' ' : line), longest)}\``;
}

/** Words of ours or of an operator, on one line, not longer than `longest`. Escaped; asterisks and the like may still format it. */
export const words = (text: string, longest = 600): string => truncate(escaped(text.replace(/\s+/g, ' ').trim()), longest);

/** A time as the reader's own clock shows it. */
export function clock(at: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return escaped(at);
  return `<!date^${Math.floor(ms / 1_000)}^{time_secs}|${new Date(ms).toISOString().slice(11, 19)} UTC>`;
}

/** At most `longest` characters of an escaped text: it never ends inside an entity, a link, a date or a pair of surrogates, nor leaves code style open. */
export function truncate(text: string, longest: number): string {
  if (text.length <= longest) return text;
  // Room for the mark, and for a backtick.
  let head = text.slice(0, Math.max(0, longest - 2));
  if (/[\ud800-\udbff]$/.test(head)) head = head.slice(0, -1);
  head = head.replace(/&[a-z]{0,3}$/, '');
  const open = head.lastIndexOf('<');
  if (open > head.lastIndexOf('>')) head = head.slice(0, open);
  const ticks = head.split('`').length - 1;
  return `${head}…${ticks % 2 === 1 ? '`' : ''}`.slice(0, longest);
}

/** Lines that fit into `longest` characters together; what does not fit is counted. The first line is cut if it alone is too long. */
export function fitLines(lines: string[], longest: number): string {
  const all = lines.join('\n');
  if (all.length <= longest) return all;
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    const left = lines.length - index - 1;
    const rest = left > 0 ? more(left).length + 1 : 0;
    const used = kept.reduce((sum, { length }) => sum + length + 1, 0);
    if (used + line.length + rest > longest) {
      if (index === 0) return lines.length > 1 ? `${truncate(line, longest - rest)}\n${more(left)}` : truncate(line, longest);
      return [...kept, more(lines.length - index)].join('\n');
    }
    kept.push(line);
  }
  return kept.join('\n');
}

const more = (count: number): string => `… and ${count} more`;
