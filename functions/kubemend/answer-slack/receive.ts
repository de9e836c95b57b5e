import { respond } from '../../../shared/slack/respond.ts';
import { type Click, readClick } from './click.ts';
import { type DecideOptions, decide } from './decide.ts';
import { type RawRequest, verifyRequest } from './verify-request.ts';

export interface AnswerOptions extends DecideOptions {
  signingSecret(): Promise<string>;
  /** Names this request in the memory of requests: never the same twice. */
  requestId(): string;
  onProblem(message: string): void;
  /** Where answers may be sent; for tests. */
  answerOrigins?: string[];
}

/** What to answer at once, and what is left to do after that. */
export interface Received {
  status: 200 | 401;
  work?: () => Promise<void>;
}

/** Takes a request from the internet. It costs one HMAC and one conditional write before it is answered; a sender who is refused learns nothing. Throws where the memory of requests cannot answer. */
export async function receive(request: RawRequest, options: AnswerOptions): Promise<Received> {
  const { state, now, onProblem } = options;
  const verified = verifyRequest(request, await options.signingSecret(), now());
  if (!verified.genuine) {
    onProblem(`A request to the Slack address was refused: ${verified.because}`);
    return { status: 401 };
  }
  // The last rule: a request counts once. Slack does not repeat a click; whoever does has copied it.
  const { signature, expiresAt } = verified;
  if (!(await state.lease(`slack-request/${signature}`, options.requestId(), expiresAt, now()))) {
    onProblem('A request to the Slack address was refused: it came before');
    return { status: 401 };
  }
  const click = readClick(request.body);
  return click ? { status: 200, work: () => handle(click, options) } : { status: 200 };
}

async function handle(click: Click, options: AnswerOptions): Promise<void> {
  const whisper = await decide(click, options).catch((error: Error) => {
    options.onProblem(`A click on incident ${click.bound.incident} could not be taken: ${error.message}`);
    return {
      text: `Your click could not be taken, so nothing was done by it. Try again, or run: kubemend ${click.ask} ${click.bound.incident}`,
    };
  });
  if (!whisper || !click.responseUrl) return;
  try {
    await respond(click.responseUrl, whisper, options.answerOrigins);
  } catch (error) {
    options.onProblem(`An answer to a click on incident ${click.bound.incident} could not be given: ${(error as Error).message}`);
  }
}
