"""The command ``tail``: attempts live, whichever process makes them."""

from contextlib import suppress

import click

from leanbe_emitter.cli.invocation.attempt_lines import AttemptLines
from leanbe_emitter.cli.invocation.attempt_run import ended_of
from leanbe_emitter.cli.invocation.command_classes import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import opened
from leanbe_emitter.cli.invocation.output import Form


@command("tail", example="leanbe-emitter tail")
@click.pass_obj
def tail(invocation: Invocation) -> None:
    """Follow attempts live, whichever process makes them; Ctrl-C ends it."""
    form = Form.JSONL if invocation.form is Form.JSON else invocation.form
    lines = AttemptLines(form, notice=invocation.notice)
    with opened(invocation) as leanbe, suppress(KeyboardInterrupt):
        invocation.notice("Following attempts from now on; Ctrl-C ends it.")
        for entry in leanbe.journal.follow():
            if entry.delivery is not None and entry.attempt is not None:
                lines.ended(ended_of(entry.delivery, entry.attempt))
