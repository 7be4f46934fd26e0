"""The command ``tail``: the attempts of all processes, live."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.event_names import EVENT_NAMES, matching
from leanbe_emitter.wire.explain.answer_digests import digests_in

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe


@command("tail", example="leanbe-emitter tail --event 'idea.*' --bodies")
@shared_options.event_filter
@shared_options.product_filter
@shared_options.status_filter
@click.option("--bodies", is_flag=True, help="Show the bodies of requests and answers.")
@click.pass_obj
def tail(
    invocation: Invocation,
    *,
    event: str | None,
    product: str | None,
    status: DeliveryStatus | None,
    bodies: bool,
) -> None:
    """Follow the attempts of all processes live, until Ctrl-C.

    The status is that of the delivery after the attempt: "pending" if another attempt follows.
    """
    output_format = (
        OutputFormat.JSONL
        if invocation.output_format is OutputFormat.JSON
        else invocation.output_format
    )
    names = EVENT_NAMES if event is None else matching(event)
    with invocation.open_leanbe() as leanbe, suppress(KeyboardInterrupt):
        lines = AttemptPrinter(
            output_format,
            notice=invocation.notice,
            mistake_of=partial(mistake_told_by_answer, leanbe),
            terminal=Terminal.of(sys.stdout),
            with_bodies=bodies,
        )
        product_id = None if product is None else leanbe.products.get(product).id
        invocation.notice("Following attempts from now on; stop with Ctrl-C.")
        for attempt in _attempts(leanbe, product_id):
            if attempt.event in names and status in {None, attempt.status}:
                lines.ended(attempt)


def _attempts(leanbe: "Leanbe", product_id: str | None) -> Iterator[Attempt]:
    """Yield the attempts of one product, or of all, as they end."""
    for entry in leanbe.journal.follow():
        if entry.attempt is not None and product_id in {None, entry.attempt.product_id}:
            yield entry.attempt


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
