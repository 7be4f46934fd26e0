"""One action of a domain command: a transaction, its document on stdout, and its deliveries.

On a terminal, the document is a table and the attempts follow it. In every other format, stdout
carries only the document, the same that a webhook carries, and stderr shows the attempts. A printed
document is committed: a refused action prints nothing but the error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.attempt_watchers import (
    BY_ANY_WORKER_OR_FOLLOW,
    printing_attempts,
    who_retries,
)
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.notices import notice_events_without_delivery
from leanbe_emitter.cli.invocation.opening import open_leanbe, select_product
from leanbe_emitter.cli.invocation.output import Column, Document, OutputFormat

if TYPE_CHECKING:
    from leanbe_emitter.cli.invocation.attempt_watchers import PrintingWatcher
    from leanbe_emitter.delivery.queue_types import Claimed, Settlement
    from leanbe_emitter.library import Product, RecordedEvents

F = TypeVar("F", bound=Callable[..., Any])


class Snapshot(Protocol):
    """A document as the library returns it."""

    def document(self) -> Document:
        """Return the document."""


@dataclass(frozen=True, kw_only=True)
class ActionOptions:
    """The options of every action: the product, and the delivery of its events.

    Attributes:
        product: name or id; None for the only product.
        follow: whether to wait until the deliveries are settled.
        no_deliver: whether to leave the first attempts to a worker.
    """

    product: str | None
    follow: bool
    no_deliver: bool


def with_action_options(command: F) -> F:
    """Add ``--product``, ``--follow``, ``--no-deliver``; the command gets them as ``options``."""

    @wraps(command)
    def packed(
        *args: object, product: str | None, follow: bool, no_deliver: bool, **given: object
    ) -> object:
        options = ActionOptions(product=product, follow=follow, no_deliver=no_deliver)
        return command(*args, options=options, **given)

    return cast("F", shared_options.product(shared_options.delivery_options(packed)))


def run_action(
    invocation: Invocation,
    options: ActionOptions,
    action: "Callable[[Product], Snapshot]",
    *,
    columns: Sequence[Column],
) -> None:
    """Run an action in one transaction, print its document, and deliver its events.

    Args:
        invocation: the run of the program.
        options: the product, and the delivery of its events.
        action: runs in the transaction and returns the document.
        columns: the columns of a table and of ``plain``.

    Raises:
        Failed: an attempt was not accepted.
        LeanbeError: the domain refused the action.
    """
    with (
        open_leanbe(invocation) as leanbe,
        printing_attempts(
            invocation,
            leanbe.clock,
            retried_by="" if options.follow else who_retries(leanbe, BY_ANY_WORKER_OR_FOLLOW),
            to_stderr=invocation.output_format is not OutputFormat.TABLE,
        ) as watcher,
    ):
        shown = _DocumentFirst(invocation.output_format, columns, watcher)
        with leanbe.foreground(shown, deliver=not options.no_deliver) as recorded_events:
            shown.snapshot = action(select_product(leanbe, options.product))
        shown.show()
        _notice_events(invocation, recorded_events, options)
        if options.follow:
            leanbe.follow(recorded_events.deliveries, watcher=watcher)


class _DocumentFirst:
    """A watcher that prints the document when the transaction is committed, before any attempt.

    A user who interrupts a receiver without an answer has the document by then.
    """

    def __init__(
        self, output_format: OutputFormat, columns: Sequence[Column], watcher: "PrintingWatcher"
    ) -> None:
        self._form = output_format
        self._columns = columns
        self._printing = watcher
        self.snapshot: Snapshot | None = None

    def show(self) -> None:
        """Print the document, once."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot is not None:
            output.print_document(self._form, snapshot.document(), columns=self._columns)

    def begun(self, claimed: "Claimed") -> None:
        """Print the document, then the line out."""
        self.show()
        self._printing.begun(claimed)

    def ended(self, claimed: "Claimed", settlement: "Settlement") -> None:
        """Print the line back."""
        self._printing.ended(claimed, settlement)


def _notice_events(
    invocation: Invocation, recorded_events: "RecordedEvents", options: ActionOptions
) -> None:
    """Print notices about events that the attempts do not show."""
    if not recorded_events.recorded:
        invocation.notice("No event: nothing changed, or Leanbe has no event for this change.")
    notice_events_without_delivery(
        invocation, (each.name for each in recorded_events.recorded if each.delivery_id is None)
    )
    with_delivery = [each for each in recorded_events.recorded if each.delivery_id is not None]
    if with_delivery and options.no_deliver:
        names = ", ".join(
            f"{each.name} {output.abbreviated(each.delivery_id or '')}" for each in with_delivery
        )
        invocation.notice(f"{names}: left to a worker. Run one with: leanbe-emitter worker --drain")
