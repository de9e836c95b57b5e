import * as z from 'zod';
import { type AnswerOptions, receive } from './receive.ts';

/** A Lambda Function URL's request, payload format 2.0. Header names come in lower case; a repeated header is joined by a comma, which no rule accepts. */
const urlRequest = z.object({
  headers: z.record(z.string(), z.string()),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** Slack shows an error to the one who clicked after 3 s; before that it is said that it has to be tried again. */
const DEADLINE = 2_500;

export interface AnswerAdapters extends AnswerOptions {
  wait(ms: number): Promise<unknown>;
}

/** The Function URL behind Slack's interactivity. A function stands still once it has answered, so the click is stored before: one conditional write. What it sets off is done by another function. */
export function makeAnswerSlack(open: () => AnswerAdapters) {
  let adapters: AnswerAdapters | undefined;
  return async (event: unknown): Promise<{ statusCode: number; body: string }> => {
    adapters ??= open();
    const { wait, onProblem } = adapters;
    const request = urlRequest.safeParse(event);
    if (!request.success) return { statusCode: 401, body: '' };
    const { headers, body, isBase64Encoded } = request.data;
    const raw = { headers, body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') };
    const work = async (options: AnswerAdapters): Promise<number> => {
      const received = await receive(raw, options);
      await received.work?.();
      return received.status;
    };
    let answered = false;
    const late = wait(DEADLINE).then(() => {
      // The clock runs on, and a function that is asked again hears it then.
      if (!answered) onProblem('A click took too long to be stored: Slack is told that it failed');
      return 503;
    });
    const statusCode = await Promise.race([work(adapters), late]).catch((error: Error) => {
      onProblem(`A click could not be taken: ${error.message}`);
      return 503;
    });
    answered = true;
    return { statusCode, body: '' };
  };
}
