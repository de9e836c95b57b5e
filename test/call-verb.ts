import { readEnvironment } from '../bin/environment.ts';
import { runVerb } from '../bin/run-verb.ts';
import type { Verb } from '../bin/verb.ts';

/** What a verb printed, and its exit code; an error is thrown. */
export interface Called {
  code: number;
  out: string;
  err: string;
}

/** Calls a verb in this process, as `ada` and on one state folder. */
export async function callVerb(verb: Verb, stateDirectory: string, ...args: string[]): Promise<Called> {
  const lines = { out: [] as string[], err: [] as string[] };
  const code = await runVerb('verb', verb, args, {
    environment: { ...readEnvironment(), stateDirectory, kubeconfig: '/nonexistent', user: 'ada', interactive: false },
    out: (line = '') => void lines.out.push(line),
    err: (line = '') => void lines.err.push(line),
  });
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
}
