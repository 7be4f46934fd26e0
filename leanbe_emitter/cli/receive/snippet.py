"""The command ``snippet``: the code of a receiver to start from."""

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.snippets import NAMES
from leanbe_emitter.snippets import snippet as text_of


@command("snippet", example="leanbe-emitter snippet fastapi")
@click.argument("name", type=click.Choice(NAMES))
def snippet(name: str) -> None:
    """Print a correct receiver to start from.

    Each snippet checks the signature, handles a repeated event once, and accepts unknown events.
    """
    output.print_text(text_of(name).rstrip())
