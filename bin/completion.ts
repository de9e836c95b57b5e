import { remediationNames } from '../infra/remediations.ts';
import { MODES } from '../shared/guards.ts';
import { own } from '../shared/own.ts';
import { scenarioNames } from './scenario-names.ts';
import type { Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

/** One word that may stand there; `help` for shells that show it. */
export interface Candidate {
  word: string;
  help?: string;
}

/** What may stand there: words, or a file of this machine. */
export type Candidates = Candidate[] | 'files';

/** Options that take neither a file nor one of a few values. */
const FREE = [
  ...['namespace', 'context', 'cluster', 'region', 'aws-table', 'bus', 'url', 'service-account', 'stage', 'account', 'subject', 'pin'],
  ...['patience', 'within', 'for', 'because', 'plan', 'kind'],
];
const OF_INCIDENTS = ['explain', 'approve', 'reject', 'snooze', 'rerun', 'retry', 'undo', 'capture'];
const OF_REMEDIATIONS = ['mode', 'pause', 'resume', 'stats', 'scan'];
const EVERYWHERE = {
  json: { type: 'boolean', help: 'JSON instead of text' },
  help: { type: 'boolean', help: 'explain the verb' },
} as const;

/**
 * What may stand at the end of a command line; `words` are those after the command, the last as far as it is typed. `idsOf` gives the IDs of
 * incidents in a state folder (undefined: the usual one).
 */
export async function candidates(words: string[], idsOf: (state: string | undefined) => Promise<Candidate[]>): Promise<Candidates> {
  const [name = '', ...rest] = words;
  const typed = words.at(-1) ?? '';
  const found = words.length <= 1 ? verbs() : await after(name, rest.slice(0, -1), typed, idsOf);
  return found === 'files' ? found : found.filter(({ word }) => word.startsWith(typed));
}

/** Without their help: loading all of them takes a second. */
const verbs = (): Candidate[] => plain(Object.keys(VERBS));

async function after(
  name: string,
  before: string[],
  typed: string,
  idsOf: (state: string | undefined) => Promise<Candidate[]>,
): Promise<Candidates> {
  if (name === 'help') return before.length === 0 ? verbs() : [];
  const load = own(VERBS, name);
  if (!load) return [];
  const options: Verb['options'] = { ...(await load()).verb.options, ...EVERYWHERE };
  const last = before.at(-1) ?? '';
  if (own(options, last.slice(2))?.type === 'string' && last.startsWith('--')) return valuesOf(last.slice(2));
  if (typed.startsWith('-')) return Object.entries(options).map(([option, { help }]) => ({ word: `--${option}`, help }));
  const given = before.filter((word, index) => !word.startsWith('-') && own(options, before[index - 1]?.slice(2) ?? '')?.type !== 'string');
  if (OF_INCIDENTS.includes(name)) return given.length === 0 ? idsOf(stateOf(before)) : [];
  return positional(name, given);
}

function valuesOf(option: string): Candidates {
  if (option === 'scenario') return plain(scenarioNames());
  if (option === 'sample') return plain(remediationNames());
  if (option === 'mode') return plain([...MODES]);
  return FREE.includes(option) ? [] : 'files';
}

function positional(name: string, { length }: string[]): Candidates {
  if (OF_REMEDIATIONS.includes(name) && length === 0) return plain(remediationNames());
  if (name === 'mode') return length === 1 ? plain([...MODES, 'default']) : [];
  if (name === 'crds') return plain([['add', 'list'], ['strimzi']][length] ?? []);
  if (name === 'completion') return plain(length === 0 ? ['bash', 'zsh', 'fish'] : []);
  return (name === 'replay' || name === 'send') && length === 0 ? 'files' : [];
}

const plain = (words: string[]): Candidate[] => words.map((word) => ({ word }));

const stateOf = (before: string[]): string | undefined => {
  const at = before.indexOf('--state');
  return at < 0 ? undefined : before[at + 1];
};

/** What a shell reads: one candidate a line, its help after a tab; `:files` where a file is meant. */
export const linesOf = (found: Candidates): string[] =>
  found === 'files' ? [':files'] : found.map(({ word, help }) => (help === undefined ? word : `${word}\t${help}`));

/** The completion script of a shell: it asks kubemend what may stand there. Undefined for a shell that is not known. */
export const shellScript = (shell: string): string | undefined => SCRIPTS.get(shell);

const SCRIPTS = new Map([
  [
    'bash',
    `_kubemend() {
  local IFS=$'\\n' found
  found=$("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
  if [ "$found" = ':files' ]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  else
    COMPREPLY=($found)
  fi
}
complete -F _kubemend kubemend`,
  ],
  [
    'zsh',
    `#compdef kubemend
_kubemend() {
  local -a found
  found=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "$found" == ':files' ]]; then _files; else compadd -- "\${(@)found%%$'\\t'*}"; fi
}
compdef _kubemend kubemend`,
  ],
  [
    'fish',
    `function __kubemend
  set -l found (kubemend completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test "$found" = ':files'
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c kubemend -f -a '(__kubemend)'`,
  ],
]);
