"""The command ``completion``: a script for the shell, which asks this program for completions."""

import click
from click.shell_completion import get_completion_class

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import COMPLETION_VARIABLE, command


@command("completion", example='eval "$(leanbe-emitter completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes words in a shell.

    It completes commands, events, products, ids, paths of --set, and values.

    Put into ~/.bashrc: eval "$(leanbe-emitter completion bash)"

    Put into ~/.zshrc: eval "$(leanbe-emitter completion zsh)"

    Put into ~/.config/fish/config.fish: leanbe-emitter completion fish | source
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    root = context.find_root()
    script = completer(root.command, {}, str(root.info_name), COMPLETION_VARIABLE).source()
    output.print_text(script.rstrip())
