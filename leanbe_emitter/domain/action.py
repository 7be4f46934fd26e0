"""One action: the transaction it is part of, its instant, and what it may use."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import NotFound
from leanbe_emitter.ids import Ids
from leanbe_emitter.storage.tables import ProductRow
from leanbe_emitter.targets import TargetRules


@dataclass(frozen=True, kw_only=True)
class Action:
    """What every action of the domain is given.

    Attributes:
        session: the transaction; the caller commits it, or rolls it back with all that it held.
        now: the instant of the action.
        ids: the source of ids and secrets.
        rules: where webhooks may point.
        assume: the assumptions of products that are made here.
    """

    session: Session
    now: datetime
    ids: Ids
    rules: TargetRules
    assume: dict[str, str] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        """The instant in milliseconds since 1970."""
        return to_milliseconds(self.now)

    def new_id(self) -> str:
        """Return a new ObjectId of this instant."""
        return self.ids.object_id(self.now)

    def lock(self, product: ProductRow) -> None:
        """Lock a product's row, as ``outbox.record`` does, and read it anew.

        What changes a product or what hangs on it begins with this, so that two callers at once
        come one after the other, and an event is recorded before the change or after it.

        Raises:
            NotFound: somebody deleted it meanwhile.
        """
        locked = self.session.scalars(
            select(ProductRow)
            .where(ProductRow.id == product.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if locked is None:
            raise deleted_meanwhile(product)


def deleted_meanwhile(product: ProductRow) -> NotFound:
    """Return the error for a product that was there a moment ago."""
    return NotFound(f"The product {product.name!r} was deleted meanwhile.")
