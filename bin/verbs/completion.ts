import { type Candidate, candidates, linesOf, shellScript } from '../completion.ts';
import { localStoreIfAny } from '../store.ts';
import { type Call, UsageError, type Verb } from '../verb.ts';

export const verb: Verb = {
  summary: 'print the completion script for a shell',
  usage: 'completion bash|zsh|fish',
  examples: [
    'source <(kubemend completion bash)',
    'kubemend completion bash > ~/.local/share/bash-completion/completions/kubemend',
    'kubemend completion fish | source',
  ],
  options: {},
  // `completion words -- WORD…` is what the scripts, and kubectl, ask.
  positionals: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(call: Call) {
    const [shell = '', ...words] = call.positionals;
    if (shell === 'words') {
      for (const line of linesOf(await candidates(words, (state) => idsOf(call, state)))) call.out(line);
      return 0;
    }
    const script = shellScript(shell);
    if (script === undefined) throw new UsageError(`"${shell}" is no shell that is known: bash, zsh or fish`);
    if (call.json) call.out(JSON.stringify({ shell, script }));
    else call.text(script);
    return 0;
  },
};

/** IDs of incidents, newest first. Whoever presses a key wants no error: where they cannot be had there are none. */
async function idsOf(call: Call, directory: string | undefined): Promise<Candidate[]> {
  try {
    const store = localStoreIfAny({ ...call, values: { ...(directory !== undefined && { state: directory }) } });
    const incidents = (await store?.state.list({ limit: 100 })) ?? [];
    return incidents.map(({ id, state, remediation, object }) => ({ word: id, help: `${state} ${remediation} ${object.name}` }));
  } catch {
    return [];
  }
}
