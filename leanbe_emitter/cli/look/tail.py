"""The command ``tail``: the attempts of all processes, live."""

from contextlib import suppress

import click

from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.cli.invocation.output import OutputFormat


@command("tail", example="leanbe-emitter tail")
@click.pass_obj
def tail(invocation: Invocation) -> None:
    """Follow the attempts of all processes live, until Ctrl-C."""
    output_format = (
        OutputFormat.JSONL
        if invocation.output_format is OutputFormat.JSON
        else invocation.output_format
    )
    lines = AttemptPrinter(output_format, notice=invocation.notice)
    with open_leanbe(invocation) as leanbe, suppress(KeyboardInterrupt):
        invocation.notice("Following attempts from now on; stop with Ctrl-C.")
        for entry in leanbe.journal.follow():
            if entry.attempt is not None:
                lines.ended(entry.attempt)
