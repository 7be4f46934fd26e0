"""The command ``tail``: the attempts of all processes, live."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.explain.answers import digests_in

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe


@command("tail", example="leanbe-emitter tail")
@click.pass_obj
def tail(invocation: Invocation) -> None:
    """Follow the attempts of all processes live, until Ctrl-C."""
    output_format = (
        OutputFormat.JSONL
        if invocation.output_format is OutputFormat.JSON
        else invocation.output_format
    )
    with open_leanbe(invocation) as leanbe, suppress(KeyboardInterrupt):
        lines = AttemptPrinter(
            output_format,
            notice=invocation.notice,
            mistake_of=partial(mistake_told_by_answer, leanbe),
        )
        invocation.notice("Following attempts from now on; stop with Ctrl-C.")
        for entry in leanbe.journal.follow():
            if entry.attempt is not None:
                lines.ended(entry.attempt)


def mistake_told_by_answer(leanbe: "Leanbe", attempt: Attempt) -> str:
    """Return the mistake of a receiver whose answer holds the signature that it computed."""
    if attempt.outcome is not Outcome.REFUSED or not digests_in(attempt.answer_body or b""):
        return ""
    try:
        explanation = leanbe.deliveries.get(attempt.delivery_id).explain()
    except LeanbeError:  # it has no secret, or its product is gone
        return ""
    if explanation.verdict != "mistake-found":
        return ""
    return " ".join(each.what for each in explanation.mistakes)
