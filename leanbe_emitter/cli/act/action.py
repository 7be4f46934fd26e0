"""How a domain command acts: one transaction, the document on stdout, then what is owed for it.

On a terminal the document is a table, and the attempts follow it. In every other form stdout
carries the document alone, the one that a webhook would carry, and stderr tells of the attempts.
What is printed was committed: an action that is refused prints nothing but why.
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
    from leanbe_emitter.delivery.claims import Claimed, Settlement
    from leanbe_emitter.library import Product, RecordedEvents

F = TypeVar("F", bound=Callable[..., Any])


class Snapshot(Protocol):
    """What the library returns of a document."""

    def document(self) -> Document:
        """Return the document."""


@dataclass(frozen=True, kw_only=True)
class ActionOptions:
    """Where a command acts, and who delivers what is owed for it.

    Attributes:
        product: its name or id; None where there is only one.
        follow: whether to stay until the deliveries are settled.
        no_deliver: whether the first attempts are left to a worker.
    """

    product: str | None
    follow: bool
    no_deliver: bool


def with_action_options(command: F) -> F:
    """Add ``--product``, ``--follow`` and ``--no-deliver``; the command gets them as ``how``."""

    @wraps(command)
    def packed(
        *args: object, product: str | None, follow: bool, no_deliver: bool, **given: object
    ) -> object:
        options = ActionOptions(product=product, follow=follow, no_deliver=no_deliver)
        return command(*args, options=options, **given)

    return cast("F", shared_options.product(shared_options.delivery_options(packed)))


def act(
    invocation: Invocation,
    options: ActionOptions,
    action: "Callable[[Product], Snapshot]",
    *,
    columns: Sequence[Column],
) -> None:
    """Let something be done, print what it was done to, and deliver what is owed for it.

    Args:
        invocation: whose form the output has.
        options: the product, and who delivers.
        action: is called in a transaction; all that it does is kept, or nothing of it.
        columns: what a person sees of the document.

    Raises:
        Failed: an attempt was not accepted.
        LeanbeError: the action was refused.
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
        shown = _Shown(invocation.output_format, columns, watcher)
        with leanbe.foreground(shown, deliver=not options.no_deliver) as raised:
            shown.snapshot = action(select_product(leanbe, options.product))
        shown.show()
        _tell(invocation, raised, options)
        if options.follow:
            leanbe.follow(raised.deliveries, watcher=watcher)


class _Shown:
    """Prints the document as soon as it is committed: before the first attempt is begun.

    Whoever interrupts a receiver that does not answer knows by then what was made.
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


def _tell(invocation: Invocation, raised: "RecordedEvents", options: ActionOptions) -> None:
    """Tell what the attempts do not show of the events that were raised."""
    if not raised.recorded:
        invocation.notice("No event: nothing changed, or no event tells of it.")
    notice_events_without_delivery(
        invocation, (each.name for each in raised.recorded if each.delivery_id is None)
    )
    owed = [each for each in raised.recorded if each.delivery_id is not None]
    if owed and options.no_deliver:
        names = ", ".join(
            f"{each.name} {output.abbreviated(each.delivery_id or '')}" for each in owed
        )
        invocation.notice(f"{names}: left to a worker: leanbe-emitter worker --drain")
