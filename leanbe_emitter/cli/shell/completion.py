"""The command ``completion``: the shell's own script, which asks this program what could follow."""

import click
from click.shell_completion import get_completion_class

from leanbe_emitter.cli import app
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.command_classes import command


@command("completion", example='eval "$(leanbe-emitter completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and events in a shell.

    In ~/.bashrc stands: eval "$(leanbe-emitter completion bash)"

    In ~/.zshrc stands: eval "$(leanbe-emitter completion zsh)"

    In ~/.config/fish/config.fish stands: leanbe-emitter completion fish | source
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"There is no completion for {shell!r}.")
    output.text(completer(app.program, {}, app.PROGRAM, app.COMPLETE).source().rstrip())
