"""The command ``completion``: the shell's own script, which asks this program what could follow."""

import click
from click.shell_completion import get_completion_class

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import COMPLETION_VARIABLE, command


@command("completion", example='eval "$(leanbe-emitter completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and events in a shell.

    In ~/.bashrc stands: eval "$(leanbe-emitter completion bash)"

    In ~/.zshrc stands: eval "$(leanbe-emitter completion zsh)"

    In ~/.config/fish/config.fish stands: leanbe-emitter completion fish | source
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    root = context.find_root()
    script = completer(root.command, {}, str(root.info_name), COMPLETION_VARIABLE).source()
    output.print_text(script.rstrip())
