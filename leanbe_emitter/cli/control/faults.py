"""The commands ``faults ...``: deliberate misbehaviours, counted and in order."""

from collections.abc import Mapping

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.cli.invocation.param_types import CompletedName
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, FaultKind

_KIND = CompletedName("kind", {each.name.replace("_", "-"): each.meaning for each in FAULT_KINDS})
_COLUMNS = [
    output.column("_id", title="id", short=output.abbreviated),
    *(output.column(key) for key in ("kind", "how", "times", "fired", "event")),
    output.column("product", short=output.abbreviated),
]


def _told(kind: FaultKind) -> str:
    """Return what a kind is, and how it can be done, for the help."""
    ways = f" How: {', '.join(kind.how)}; by default {kind.default}." if kind.how else ""
    return f"{kind.meaning}{ways}".replace("`", "")


_WORDS: Mapping[str, Mapping[str, str]] = {
    "Kinds, and what the receiver sees": {
        each.name.replace("_", "-"): _told(each) for each in FAULT_KINDS
    }
}


@group("faults", example="leanbe-emitter faults list")
def faults() -> None:
    """Deliberate, counted misbehaviours: of the receiver, or of ours.

    They hold for every process that sends from the database. One attempt takes one fault: the first
    one, in the order in which they were added, that is meant for it and has not fired as often as
    asked.
    """


@subcommand(faults, "list", example="leanbe-emitter faults list")
@click.pass_obj
def list_(invocation: Invocation) -> None:
    """List the faults, in the order in which they fire; those that have fired, too."""
    with open_leanbe(invocation) as leanbe:
        documents = [each.document() for each in leanbe.faults.list()]
    output.print_rows(invocation.output_format, documents, columns=_COLUMNS)


@subcommand(
    faults,
    "add",
    example="leanbe-emitter faults add receiver-fails --how timeout --times 2 --event 'idea.*'",
    words=_WORDS,
)
@click.argument("kind", type=_KIND)
@click.option("--how", help="How it is done, where there are several ways.")
@click.option(
    "--times",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many deliveries take it.",
)
@shared_options.event_filter
@click.option("--product", metavar="P", help="Whose events it is meant for; any product's else.")
@click.pass_obj
def add(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    kind: str,
    how: str | None,
    times: int,
    event: str | None,
    product: str | None,
) -> None:
    """Add a fault; several kinds at the same attempt are joined by +.

    Attempts say what was done to them: see "deliveries show".
    """
    with open_leanbe(invocation) as leanbe:
        fault = leanbe.faults.add(
            kind, how=how, times=times, event=event, product=product, must_fire=False
        )
    output.print_document(invocation.output_format, fault.document(), columns=_COLUMNS)


@subcommand(faults, "clear", example="leanbe-emitter faults clear")
@click.pass_obj
def clear(invocation: Invocation) -> None:
    """Forget all faults; what one holds back is due at once."""
    with open_leanbe(invocation) as leanbe:
        leanbe.faults.clear()
