import type { EventEmitter } from 'node:events';

/** Why a verb that runs on has to end. */
export interface Ending {
  /** The error nobody expected; absent: a person or the system asked for the end. */
  unexpected?: Error;
}

/** Exit code after a defect of kubemend. */
export const DEFECT = 70;

/** Something rejected or threw where nothing was prepared for it: a defect. The verb stops what it started, and the process ends with this sentence. */
export class UnexpectedError extends Error {
  override name = 'UnexpectedError';

  constructor(cause: unknown) {
    const { message, stack } = cause instanceof Error ? cause : new Error(String(cause));
    const [place] = /\(?\S+:\d+:\d+\)?$/m.exec(stack ?? '') ?? [];
    super(
      `kubemend ends after an unexpected error: ${message}${place ? ` ${place}` : ''}. Please report it; what was under way is recovered by the next start`,
      {
        cause,
      },
    );
  }
}

/** Resolves once the process is asked to end (also because its terminal closed), or something threw that nothing was prepared for. Ask before anything is started. */
export function ending(source: EventEmitter = process): Promise<Ending> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) source.once(signal, () => resolve({}));
    unexpectedError(source).catch((unexpected: UnexpectedError) => resolve({ unexpected }));
  });
}

/** Rejects with UnexpectedError when something throws or rejects that nothing was prepared for, and never resolves. */
export const unexpectedError = (source: EventEmitter = process): Promise<never> =>
  new Promise((_, reject) => {
    for (const event of ['uncaughtException', 'unhandledRejection'])
      source.on(event, (cause: unknown) => reject(new UnexpectedError(cause)));
  });
