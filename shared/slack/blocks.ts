import type { ActionsBlock, Button, ContextBlock, HeaderBlock, MrkdwnElement, PlainTextElement, SectionBlock } from '@slack/types';
import { LIMITS } from './limits.ts';
import { fitLines, truncate } from './text.ts';

/** The kinds of blocks that kubemend sends. */
export type Block = HeaderBlock | SectionBlock | ContextBlock | ActionsBlock;

/** A message: blocks, and the text that notifications and screen readers use. */
export interface Message {
  text: string;
  blocks: Block[];
}

/** A title. Plain text: nothing in it is interpreted, so nothing is escaped. */
export const header = (text: string): HeaderBlock => ({ type: 'header', text: plain(text, LIMITS.header) });

/** A paragraph of lines that are escaped already. */
export const section = (lines: string[]): SectionBlock => ({ type: 'section', text: mrkdwn(fitLines(lines, LIMITS.section)) });

/** Two columns of escaped texts. */
export const fields = (texts: string[]): SectionBlock => ({
  type: 'section',
  fields: texts.slice(0, LIMITS.fields).map((text) => mrkdwn(truncate(text, LIMITS.field))),
});

/** Small print, escaped. */
export const context = (texts: string[]): ContextBlock => ({
  type: 'context',
  elements: texts.slice(0, LIMITS.contextElements).map((text) => mrkdwn(truncate(text, LIMITS.context))),
});

/** A row of buttons. */
export const actions = (elements: Button[]): ActionsBlock => ({ type: 'actions', elements: elements.slice(0, LIMITS.actions) });

/** A button; one with `ask` asks again before it counts. Throws where its value is too long: a value that was cut would mean something else. */
export function button(
  id: string,
  text: string,
  value: string,
  { style, ask }: { style?: 'primary' | 'danger'; ask?: string } = {},
): Button {
  if (value.length > LIMITS.buttonValue || id.length > LIMITS.actionId) throw new Error(`The button "${text}" carries too much: ${id}`);
  return {
    type: 'button',
    action_id: id,
    text: plain(text, LIMITS.button),
    value,
    ...(style && { style }),
    ...(ask && {
      confirm: {
        title: plain(`${text}?`, LIMITS.confirmTitle),
        text: plain(ask, LIMITS.confirmText),
        confirm: plain(text, LIMITS.confirmButton),
        deny: plain('Cancel', LIMITS.confirmButton),
      },
    }),
  };
}

/** The characters that count against a message: the texts of its blocks. */
export const lengthOf = (block: Block): number => {
  if (block.type === 'header') return block.text.text.length;
  if (block.type === 'actions') return 0;
  const texts = block.type === 'context' ? block.elements : [...(block.text ? [block.text] : []), ...(block.fields ?? [])];
  return texts.reduce((sum, element) => sum + ('text' in element ? element.text.length : 0), 0);
};

/** As many blocks as a message may have; the ones that matter least (the last but `ending`) go first, and a line says so. */
export function fitMessage({ text, blocks }: Message, ending = 0): Message {
  const [body, end] = [blocks.slice(0, blocks.length - ending), blocks.slice(blocks.length - ending)];
  const note = context(['Shortened: Slack takes no more in one message.']);
  const room = (count: number) => count + end.length <= LIMITS.blocks;
  const total = (all: Block[]) => all.reduce((sum, block) => sum + lengthOf(block), 0);
  const rest = total(end);
  if (room(body.length) && total(body) + rest <= LIMITS.blocksTotal) return { text: truncate(text, LIMITS.text), blocks };
  while (body.length > 0 && !(room(body.length + 1) && total(body) + lengthOf(note) + rest <= LIMITS.blocksTotal)) body.pop();
  return { text: truncate(text, LIMITS.text), blocks: [...body, note, ...end] };
}

const plain = (text: string, longest: number): PlainTextElement => ({
  type: 'plain_text',
  text: cut(text.replace(/\s+/g, ' ').trim() || ' ', longest),
  emoji: true,
});

/** `verbatim`: Slack makes no mention or channel link out of words. An empty text is refused. */
const mrkdwn = (text: string): MrkdwnElement => ({ type: 'mrkdwn', text: text === '' ? ' ' : text, verbatim: true });

/** Plain text has no entities to keep whole. */
const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
