"""The command ``snippet``: a receiver to start from."""

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.snippets import NAMES
from leanbe_emitter.snippets import snippet as text_of


@command("snippet", example="leanbe-emitter snippet fastapi")
@click.argument("name", type=click.Choice(NAMES))
def snippet(name: str) -> None:
    """Print a correct receiver to start from.

    Each checks the signature, takes what comes twice once, and lets unknown events pass.
    """
    output.print_text(text_of(name).rstrip())
