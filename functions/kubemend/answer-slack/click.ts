import * as z from 'zod';
import { type Ask, type Bound, readButton } from '../../../shared/slack/buttons.ts';

/** What of Slack's `block_actions` payload is used. */
const payload = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: z.string().regex(/^[UW][A-Z0-9]{1,30}$/), username: z.string().optional(), name: z.string().optional() }),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).length(1),
  response_url: z.string().optional(),
});

/** One click on one of our buttons. */
export interface Click {
  ask: Ask;
  bound: Bound;
  user: { id: string; name: string };
  responseUrl: string | undefined;
}

/** Reads the body of a request that Slack signed. Undefined: nothing of ours (another button, a shortcut, a check of the address). */
export function readClick(body: Buffer): Click | undefined {
  const text = new URLSearchParams(body.toString('utf8')).get('payload');
  const { data } = payload.safeParse(text === null ? undefined : parse(text));
  const [action] = data?.actions ?? [];
  const read = action && readButton(action.action_id, action.value ?? '');
  if (!data || !read) return undefined;
  const { user } = data;
  // A display name is chosen by its owner: letters and the like, no more.
  const name = (user.username ?? user.name ?? '').replace(/[^\p{L}\p{N} ._-]/gu, '').slice(0, 60);
  return { ...read, user: { id: user.id, name }, responseUrl: data.response_url };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
