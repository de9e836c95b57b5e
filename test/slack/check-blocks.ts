type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What Slack would refuse of a message's blocks, one sentence each: its documented limits, and `msg_blocks_too_long` as it was seen. Written from the reference, not from the code under test. */
export function wrongBlocks(blocks: unknown): string[] {
  if (blocks === undefined) return [];
  if (!Array.isArray(blocks)) return ['blocks is no list'];
  const wrong = blocks.flatMap((block, index) => wrongBlock(block).map((because) => `block ${index}: ${because}`));
  if (blocks.length > 50) wrong.push(`${blocks.length} blocks`);
  const total =
    JSON.stringify(blocks)
      .match(/"text":"(?:[^"\\]|\\.)*"/g)
      ?.reduce((sum, text) => sum + text.length - 9, 0) ?? 0;
  if (total > 13_200) wrong.push(`msg_blocks_too_long: ${total}`);
  return wrong;
}

function wrongBlock(block: unknown): string[] {
  if (!isFields(block)) return ['is no object'];
  switch (block.type) {
    case 'header':
      return wrongText(block.text, 150, 'plain_text');
    case 'section': {
      const fields = block.fields as unknown[] | undefined;
      if (block.text === undefined && !fields?.length) return ['section has neither text nor fields'];
      return [
        ...(block.text === undefined ? [] : wrongText(block.text, 3_000)),
        ...(fields && fields.length > 10 ? [`${fields.length} fields`] : []),
        ...(fields ?? []).flatMap((field) => wrongText(field, 2_000)),
      ];
    }
    case 'context': {
      const elements = block.elements as unknown[];
      return [
        ...(elements.length < 1 || elements.length > 10 ? [`${elements.length} elements`] : []),
        ...elements.flatMap((one) => wrongText(one, 3_000)),
      ];
    }
    case 'actions': {
      const elements = block.elements as Fields[];
      const ids = new Set(elements.map(({ action_id }) => action_id));
      return [
        ...(elements.length < 1 || elements.length > 25 ? [`${elements.length} buttons`] : []),
        ...(ids.size < elements.length ? ['two buttons with one action_id'] : []),
        ...elements.flatMap(wrongButton),
      ];
    }
    default:
      return [`unknown type ${block.type}`];
  }
}

function wrongButton({ type, text, value, action_id: id, style, confirm }: Fields): string[] {
  return [
    ...(type === 'button' ? [] : [`element ${type}`]),
    ...wrongText(text, 75, 'plain_text'),
    ...(typeof value === 'string' && value.length > 2_000 ? ['value too long'] : []),
    ...(typeof id === 'string' && id.length <= 255 ? [] : ['action_id']),
    ...(style === undefined || style === 'primary' || style === 'danger' ? [] : [`style ${style}`]),
    ...(isFields(confirm)
      ? [
          ...wrongText(confirm.title, 100, 'plain_text'),
          ...wrongText(confirm.text, 300),
          ...wrongText(confirm.confirm, 30, 'plain_text'),
          ...wrongText(confirm.deny, 30, 'plain_text'),
        ]
      : []),
  ];
}

function wrongText(object: unknown, longest: number, only?: 'plain_text'): string[] {
  if (!isFields(object) || typeof object.text !== 'string') return ['a text is missing'];
  const { type, text } = object;
  return [
    ...(type === 'plain_text' || (type === 'mrkdwn' && !only) ? [] : [`text of type ${type}`]),
    ...(text.length < 1 || text.length > longest ? [`a text of ${text.length} characters, ${longest} is the limit`] : []),
    ...(/[\ud800-\udbff](?![\udc00-\udfff])/.test(text) ? ['half a character'] : []),
    ...(type === 'mrkdwn' ? wrongMarkup(text) : []),
  ];
}

/** Only links and dates may stand between angle brackets: anything else would be a mention, or was not escaped. */
export function wrongMarkup(text: string): string[] {
  const rest = text.replace(/<(?:https:\/\/[^<>|]+(?:\|[^<>]+)?|!date\^\d+\^[^<>|]+\|[^<>]+)>/g, '');
  return [
    ...(/[<>]/.test(rest) ? [`a bracket that is not escaped: ${rest.slice(0, 80)}`] : []),
    ...(/&(?!amp;|lt;|gt;)/.test(rest) ? [`an ampersand that is not escaped: ${rest.slice(0, 80)}`] : []),
    ...(text.split('`').length % 2 === 0 ? [`a backtick that is not closed: ${text.slice(0, 80)}`] : []),
  ];
}
