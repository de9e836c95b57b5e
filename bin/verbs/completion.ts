import { remediationNames } from '../../infra/remediations.ts';
import { shellScript } from '../completion.ts';
import { type Call, UsageError, type Verb } from '../verb.ts';
import { VERBS } from '../verbs.ts';

export const verb: Verb = {
  summary: 'print the completion script for a shell',
  usage: 'completion bash|zsh|fish',
  examples: ['kubemend completion bash > ~/.local/share/bash-completion/completions/kubemend', 'kubemend completion fish | source'],
  options: {},
  positionals: { least: 1, most: 1 },
  async run(call: Call) {
    const [shell = ''] = call.positionals;
    const verbs = await Promise.all(
      Object.entries(VERBS).map(async ([name, load]) => {
        const { verb: found } = await load();
        return {
          name,
          summary: found.summary,
          options: [...Object.entries(found.options).map(([option, { help }]) => ({ option, help })), ...EVERYWHERE],
        };
      }),
    );
    const remediations = remediationNames();
    const words = {
      mode: [...remediations, 'shadow', 'approve', 'auto'],
      pause: remediations,
      resume: remediations,
      stats: remediations,
      scan: remediations,
      completion: ['bash', 'zsh', 'fish'],
    };
    const script = shellScript(shell, verbs, words);
    if (script === undefined) throw new UsageError(`"${shell}" is no shell that is known: bash, zsh or fish`);
    call.out(call.json ? JSON.stringify({ shell, script }) : script);
    return 0;
  },
};

const EVERYWHERE = [
  { option: 'json', help: 'one JSON document instead of text' },
  { option: 'help', help: 'explain the verb' },
];
