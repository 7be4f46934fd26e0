"""The commands ``faults ...``: deliberate misbehaviour, counted and in order."""

from collections.abc import Mapping

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Column
from leanbe_emitter.cli.invocation.param_types import CompletedName, WholeNumber
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, FaultKind

_KIND = CompletedName("kind", {each.name: each.meaning for each in FAULT_KINDS})
_COLUMNS = [
    output.column("_id", title="id", short=output.abbreviated),
    *(output.column(key) for key in ("kind", "how", "times", "fired", "event")),
    output.column("product", short=output.abbreviated),
]

_KINDS = [
    *map(output.column, ("group", "kind", "default")),
    Column(title="ways", of=lambda kind: ", ".join(each["how"] for each in kind["ways"])),
    output.column("sees", is_cut=True),
]


def _described(kind: FaultKind) -> str:
    """Return the help text of a kind: its meaning and its ways."""
    ways = f" How: {', '.join(kind.how)}; by default {kind.default}." if kind.how else ""
    return f"{kind.meaning}{ways}".replace("`", "")


_WORDS: Mapping[str, Mapping[str, str]] = {
    "Kinds, and what the receiver sees": {each.name: _described(each) for each in FAULT_KINDS}
}


@group("faults", example="leanbe-emitter faults list")
def faults() -> None:
    """Faults: deliberate, counted misbehaviour of the receiver or the sender.

    Faults apply to every process that sends from the database. An attempt takes one fault: the
    oldest one that matches it and has not fired as often as asked.
    """


@subcommand(faults, "list", example="leanbe-emitter faults list")
@click.pass_obj
def list_(invocation: Invocation) -> None:
    """List the faults in the order in which they fire, including those that have fired."""
    with invocation.open_leanbe() as leanbe:
        documents = [each.document() for each in leanbe.faults.list()]
    output.print_rows(invocation.output_format, documents, columns=_COLUMNS)


@subcommand(
    faults,
    "add",
    example="leanbe-emitter faults add receiver_fails --how timeout --times 2 --event 'idea.*'",
    words=_WORDS,
)
@click.argument("kind", type=_KIND)
@click.option(
    "--how", shell_complete=completion.FAULT_WAYS, help="The way to do it, if the kind has several."
)
@click.option(
    "--times",
    type=WholeNumber(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many deliveries take the fault.",
)
@shared_options.event_filter
@shared_options.product_option("Only for events of this product; else of any.")
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
    """Add a fault; join several kinds for the same attempt with +.

    Each attempt records its fault: see "deliveries show".
    """
    with invocation.open_leanbe() as leanbe:
        fault = leanbe.faults.add(
            kind, how=how, times=times, event=event, product=product, must_fire=False
        )
    output.print_document(invocation.output_format, fault.document(), columns=_COLUMNS)


@subcommand(faults, "clear", example="leanbe-emitter faults clear")
@click.pass_obj
def clear(invocation: Invocation) -> None:
    """Delete all faults. Deliveries that a fault holds back are due at once."""
    with invocation.open_leanbe() as leanbe:
        leanbe.faults.clear()


@subcommand(faults, "delete", example="leanbe-emitter faults delete a2e4f0")
@click.argument("fault", metavar="ID")
@click.pass_obj
def delete(invocation: Invocation, fault: str) -> None:
    """Delete one fault: it fires no more. A delivery that has taken it already keeps it."""
    with invocation.open_leanbe() as leanbe:
        leanbe.faults.delete(fault)


@subcommand(faults, "catalogue", example="leanbe-emitter faults catalogue")
@click.pass_obj
def catalogue(invocation: Invocation) -> None:
    """List the kinds of faults, with what the receiver gets from each."""
    documents = [each.document() for each in FAULT_KINDS]
    output.print_rows(invocation.output_format, documents, columns=_KINDS)
