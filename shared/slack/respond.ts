import type { Block } from './blocks.ts';

/** An answer only the one who clicked sees. */
export interface Whisper {
  text: string;
  blocks?: Block[];
}

/** Where Slack takes answers to a click: nowhere else, whatever a request names. */
const ORIGINS = ['https://hooks.slack.com', 'https://hooks.slack-gov.com'];

/** Answers a click through its `response_url` (5 times in 30 minutes). No token is needed for it. Throws when it is no address of Slack's, or was not taken. */
export async function respond(url: string, { text, blocks }: Whisper, origins = ORIGINS, timeout = 1_500): Promise<void> {
  if (!URL.canParse(url) || !origins.includes(new URL(url).origin))
    throw new Error('The click names an answering address that is not Slack’s');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text, ...(blocks && { blocks }) }),
    signal: AbortSignal.timeout(timeout),
    redirect: 'error',
  });
  if (!response.ok) throw new Error(`Slack did not take the answer to a click: ${response.status}`);
}
