/** A verb as a shell completes it. */
export interface CompletedVerb {
  name: string;
  summary: string;
  options: { option: string; help: string }[];
}

/** The completion script of a shell; `words`: what may stand after a verb. Undefined for a shell that is not known. */
export function shellScript(shell: string, verbs: CompletedVerb[], words: Record<string, string[]>): string | undefined {
  const make = new Map([
    ['bash', bash],
    ['zsh', zsh],
    ['fish', fish],
  ]).get(shell);
  return make?.(verbs, words);
}

const flags = ({ options }: CompletedVerb): string => options.map(({ option }) => `--${option}`).join(' ');

const bash = (verbs: CompletedVerb[], words: Record<string, string[]>): string => `_kubemend() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${verbs.map((verb) => `    ${verb.name}) COMPREPLY=($(compgen -W "${[...(words[verb.name] ?? []), flags(verb)].join(' ')}" -- "$word")) ;;`).join('\n')}
  esac
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _kubemend kubemend`;

const zsh = (verbs: CompletedVerb[], words: Record<string, string[]>): string => `#compdef kubemend
_kubemend() {
  if (( CURRENT == 2 )); then
    local -a verbs=(
${verbs.map(({ name, summary }) => `      ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
    )
    _describe verb verbs
    return
  fi
  case "$words[2]" in
${verbs.map((verb) => `    ${verb.name}) compadd -- ${[...(words[verb.name] ?? []), flags(verb)].join(' ')}; _files ;;`).join('\n')}
  esac
}
compdef _kubemend kubemend`;

const fish = (verbs: CompletedVerb[], words: Record<string, string[]>): string =>
  verbs
    .flatMap(({ name, summary, options }) => [
      `complete -c kubemend -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...options.map(({ option, help }) => `complete -c kubemend -n '__fish_seen_subcommand_from ${name}' -l ${option} -d ${quoted(help)}`),
      ...(words[name] ? [`complete -c kubemend -n '__fish_seen_subcommand_from ${name}' -f -a '${words[name].join(' ')}'`] : []),
    ])
    .join('\n');

const quoted = (text: string): string => `'${text.replaceAll("'", '’')}'`;
