/** `resonate completion`: what a shell needs to complete the words of this command. */
import { Argument, type Command } from "commander";
import type { Terminal } from "../terminal.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `fresh` builds the program as it is without this: the library adds commands of its own to it. */
export function addCompletion(root: Command, terminal: Terminal, fresh: () => Command): void {
  root
    .command("completion")
    .description("Print a script with which a shell completes verbs and options.")
    .summary("complete verbs and options in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action(async (shell: string) => {
      if (shell === "bash") terminal.raw(BASH, "out");
      else (await completionOf(fresh())).setup(root.name(), root.name(), shell);
    });
  // The scripts call this, with the words so far.
  root
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => {
      const program = fresh();
      (await completionOf(program)).parse(namesFor(words, program));
    });
}

/** The words with the names of commands in place of their aliases, which the library does not know. */
function namesFor(words: readonly string[], program: Command): string[] {
  let at = program;
  return words.map((word) => {
    const known = at.commands.find((one) => one.name() === word || one.aliases().includes(word));
    at = known ?? at;
    return known?.name() ?? word;
  });
}

async function completionOf(program: Command) {
  // It is loaded when a shell asks.
  const { default: tab } = await import("@bomb.sh/tab/commander");
  return tab(program, { completionCommandName: "completion" });
}

/**
 * Ours, because that of the library needs functions of the package bash-completion, cannot be loaded twice, and evaluates
 * what was typed: with it, a tab after `$(…)` would run that.
 */
const BASH = `# bash completion for resonate
__resonate_complete() {
  local value description
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    [[ $value == :* ]] || COMPREPLY+=("$value")
  done < <(resonate complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F __resonate_complete resonate
`;

const EXAMPLES = `
The command has to be on the PATH as 'resonate'.

Examples:
  $ source <(resonate completion bash)
  $ resonate completion zsh > ~/.resonate-completion.zsh && echo 'source ~/.resonate-completion.zsh' >> ~/.zshrc
  $ resonate completion fish > ~/.config/fish/completions/resonate.fish`;
