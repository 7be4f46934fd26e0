"""Why deliveries that somebody waits for do not come, as far as the database tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.emitter.account import line_of
from leanbe_emitter.emitter.naming import ProductRef, named
from leanbe_emitter.emitter.snapshots import Delivery
from leanbe_emitter.storage.tables import WebhookRow
from leanbe_emitter.wire.instants import print_instant

#: All that can be said where nothing of it was attempted, or of anything at all.
NOBODY_WORKS: Final = "Is a worker running?"


@dataclass(frozen=True, kw_only=True)
class Hindrance:
    """What stands in the way.

    Attributes:
        words: a sentence.
        failed: the delivery of which an attempt failed, and that is attempted again; None where it
            is something else.
    """

    words: str
    failed: Delivery | None = None


def hindrance(
    session: Session, pending: Sequence[Delivery], *, product: ProductRef | None
) -> Hindrance:
    """Say what stands in the way of deliveries.

    Args:
        session: a transaction.
        pending: those of them that are still owed.
        product: whose they are; None: anybody's.
    """
    failed = next((each for each in pending if each.attempts), None)
    if failed is not None:
        return Hindrance(words=f"{line_of(failed).strip()}; {_again(failed)}.", failed=failed)
    if pending:
        return Hindrance(words=NOBODY_WORKS)
    return Hindrance(words=_unowed(session, product))


def _again(failed: Delivery) -> str:
    if failed.next_due_at is None:
        return "the next attempt is under way"
    return f"the next attempt is due at {print_instant(failed.next_due_at)}"


def _unowed(session: Session, product: ProductRef | None) -> str:
    with_url, nobody = select(WebhookRow).where(WebhookRow.url.is_not(None)), "No product has a"
    if product is not None:
        row = named(session, product)
        with_url = with_url.where(WebhookRow.product_id == row.id)
        nobody = f"The product {row.name!r} has no"
    if session.scalar(with_url.limit(1)) is not None:
        return "Nothing of the kind is owed."
    return f"{nobody} webhook URL: its events are recorded, and owed to nobody."
