"""How a domain command acts: one transaction, the document on stdout, then what is owed for it.

On a terminal the document is a table, and the attempts follow it. In every other form stdout
carries the document alone, the one that a webhook would carry, and stderr tells of the attempts.
What is printed was committed: an action that is refused prints nothing but why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from leanbe_emitter.cli.invocation import options, output
from leanbe_emitter.cli.invocation.attempt_run import (
    BY_ANY_WORKER_OR_FOLLOW,
    making_attempts,
    next_by,
)
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import chosen, opened
from leanbe_emitter.cli.invocation.output import Column, Document, Form
from leanbe_emitter.cli.invocation.unowed_notice import tell_what_is_not_owed

if TYPE_CHECKING:
    from leanbe_emitter.cli.invocation.attempt_run import Printing
    from leanbe_emitter.delivery.claims import Claimed, Settlement
    from leanbe_emitter.library import Product, RecordedEvents

F = TypeVar("F", bound=Callable[..., Any])


class Snapshot(Protocol):
    """What the library returns of a document."""

    def document(self) -> Document:
        """Return the document."""


@dataclass(frozen=True, kw_only=True)
class How:
    """Where a command acts, and who delivers what is owed for it.

    Attributes:
        product: its name or id; None where there is only one.
        follow: whether to stay until the deliveries are settled.
        no_deliver: whether the first attempts are left to a worker.
    """

    product: str | None
    follow: bool
    no_deliver: bool


def as_action(command: F) -> F:
    """Add ``--product``, ``--follow`` and ``--no-deliver``; the command gets them as ``how``."""

    @wraps(command)
    def packed(
        *args: object, product: str | None, follow: bool, no_deliver: bool, **given: object
    ) -> object:
        how = How(product=product, follow=follow, no_deliver=no_deliver)
        return command(*args, how=how, **given)

    return cast("F", options.product(options.who_delivers(packed)))


def act(
    invocation: Invocation,
    how: How,
    action: "Callable[[Product], Snapshot]",
    *,
    columns: Sequence[Column],
) -> None:
    """Let something be done, print what it was done to, and deliver what is owed for it.

    Args:
        invocation: whose form the output has.
        how: the product, and who delivers.
        action: is called in a transaction; all that it does is kept, or nothing of it.
        columns: what a person sees of the document.

    Raises:
        Failed: an attempt was not accepted.
        LeanbeError: the action was refused.
    """
    with (
        opened(invocation) as leanbe,
        making_attempts(
            invocation,
            leanbe.clock,
            who_is_next="" if how.follow else next_by(leanbe, BY_ANY_WORKER_OR_FOLLOW),
            are_notices=invocation.form is not Form.TABLE,
        ) as printing,
    ):
        shown = _Shown(invocation.form, columns, printing)
        with leanbe.foreground(shown, deliver=not how.no_deliver) as raised:
            shown.snapshot = action(chosen(leanbe, how.product))
        shown.show()
        _tell(invocation, raised, how)
        if how.follow:
            leanbe.follow(raised.deliveries, watcher=printing)


class _Shown:
    """Prints the document as soon as it is committed: before the first attempt is begun.

    Whoever interrupts a receiver that does not answer knows by then what was made.
    """

    def __init__(self, form: Form, columns: Sequence[Column], printing: "Printing") -> None:
        self._form = form
        self._columns = columns
        self._printing = printing
        self.snapshot: Snapshot | None = None

    def show(self) -> None:
        """Print the document, once."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot is not None:
            output.record(self._form, snapshot.document(), columns=self._columns)

    def begun(self, claimed: "Claimed") -> None:
        """Print the document, then the line out."""
        self.show()
        self._printing.begun(claimed)

    def ended(self, claimed: "Claimed", settlement: "Settlement") -> None:
        """Print the line back."""
        self._printing.ended(claimed, settlement)


def _tell(invocation: Invocation, raised: "RecordedEvents", how: How) -> None:
    """Tell what the attempts do not show of the events that were raised."""
    if not raised.recorded:
        invocation.notice("No event: nothing changed, or no event tells of it.")
    tell_what_is_not_owed(
        invocation, (each.name for each in raised.recorded if each.delivery_id is None)
    )
    owed = [each for each in raised.recorded if each.delivery_id is not None]
    if owed and how.no_deliver:
        names = ", ".join(
            f"{each.name} {output.abbreviated(each.delivery_id or '')}" for each in owed
        )
        invocation.notice(f"{names}: left to a worker: leanbe-emitter worker --drain")
