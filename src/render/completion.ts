/** Completion scripts for shells. */

/** A command as completion knows it. */
export interface CompletedCommand {
  /** The words after `secureev`. */
  readonly path: string;
  readonly summary: string;
  /** Long flags, e.g. `--json`. */
  readonly flags: readonly string[];
  /** Those of them that take a value, which is completed as a file name. */
  readonly valued: readonly string[];
}

/** A shell that has completion. */
export type Shell = (typeof SHELLS)[number];

/** The shells that have completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The script for `shell`, to be read by it at start. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** Prefix of words -> the words that may follow, e.g. `vehicle` -> `add import key`. */
function followers(commands: readonly CompletedCommand[]): ReadonlyMap<string, readonly string[]> {
  const next = new Map<string, string[]>();
  for (const { path } of commands) {
    const words = path.split(' ');
    for (const [i, word] of words.entries()) {
      const prefix = words.slice(0, i).join(' ');
      const known = next.get(prefix) ?? [];
      if (!known.includes(word)) next.set(prefix, [...known, word]);
    }
  }
  return next;
}

function caseLines(lines: Iterable<readonly [pattern: string, words: readonly string[]]>): string {
  return Array.from(lines, ([pattern, words]) => `    "${pattern}") echo "${words.join(' ')}" ;;`).join('\n');
}

/** Two shell functions that bash and zsh share: what follows some words, and the flags of a command. */
function tables(commands: readonly CompletedCommand[]): string {
  const flags = commands.map(({ path, flags }) => [path, flags] as const);
  const valued = [...new Set(commands.flatMap((command) => command.valued))];
  return [
    `_secureev_words() {\n  case "$1" in\n${caseLines(followers(commands))}\n  esac\n}`,
    `_secureev_flags() {\n  case "$1" in\n${caseLines(flags)}\n  esac\n}`,
    `_secureev_valued() {\n  case "$1" in\n    ${valued.join('|')}) return 0 ;;\n  esac\n  return 1\n}`,
  ].join('\n\n');
}

function bashScript(commands: readonly CompletedCommand[]): string {
  return `# secureev completion for bash: source <(secureev completion bash)
${tables(commands)}

_secureev() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at="" i word skip=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    if [[ "$word" == -* ]]; then _secureev_valued "$word" && skip=1; continue; fi
    case " $(_secureev_words "$at") " in *" $word "*) at="\${at:+$at }$word" ;; esac
  done
  if [[ -n "$skip" ]]; then COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W "$(_secureev_flags "$at")" -- "$cur"))
  else COMPREPLY=($(compgen -W "$(_secureev_words "$at")" -- "$cur")); [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _secureev secureev`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef secureev
# secureev completion for zsh: secureev completion zsh > "\${fpath[1]}/_secureev"
${tables(commands)}

_secureev() {
  local at="" skip="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    if [[ "$word" == -* ]]; then _secureev_valued "$word" && skip=1; continue; fi
    case " $(_secureev_words "$at") " in *" $word "*) at="\${at:+$at }$word" ;; esac
  done
  if [[ -n "$skip" ]]; then _files
  elif [[ "$words[CURRENT]" == -* ]]; then compadd -- \${=:-"$(_secureev_flags "$at")"}
  else compadd -- \${=:-"$(_secureev_words "$at")"} || _files; fi
}
compdef _secureev secureev`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const words = Array.from(followers(commands), ([prefix, next]) =>
    next.map((word) => fishLine(prefix, `-f -a ${word}`, summaryOf(commands, prefix, word))),
  );
  const flags = commands.map(({ path, flags, valued }) =>
    flags.map((flag) => fishLine(path, `-l ${flag.slice(2)}${valued.includes(flag) ? ' -r' : ''}`, '')),
  );
  return `# secureev completion for fish: secureev completion fish > ~/.config/fish/completions/secureev.fish
function __secureev_at
  set -l given (string match -v -- '-*' (commandline -opc)[2..-1])
  set -l wanted $argv
  test (count $given) -ge (count $wanted); or return 1
  test -z "$wanted"; and test (count $given) -gt 0; and return 1
  test -z "$wanted"; or test "$given[1..$(count $wanted)]" = "$wanted"
end
${[...words, ...flags].flat().join('\n')}`;
}

function fishLine(prefix: string, completes: string, description: string): string {
  const told = description === '' ? '' : ` -d '${description.replaceAll("'", '')}'`;
  return `complete -c secureev -n '__secureev_at ${prefix}' ${completes}${told}`;
}

function summaryOf(commands: readonly CompletedCommand[], prefix: string, word: string): string {
  const path = prefix === '' ? word : `${prefix} ${word}`;
  return commands.find((command) => command.path === path)?.summary ?? '';
}
