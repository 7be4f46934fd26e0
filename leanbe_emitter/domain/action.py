"""One action of a user: load, check, change, record, in a transaction that the caller owns.

An action first locks its products, in the order of their ids. The rows that it reads then stay as
they are until the commit, so that no check is outdated and no counter is wrong. The caller records
the action's events after its end, all at once and in order. A refused action has no events, and the
caller rolls it back.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.domain.document_values import changed_names, list_changes
from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.ids import IdOf, Ids, ids_of_second
from leanbe_emitter.outbox import NewEvent
from leanbe_emitter.storage.engine.sqlite import is_sole_writer
from leanbe_emitter.storage.queries.stored_clock import stands_still
from leanbe_emitter.storage.schema.document_tables import OfProduct
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.payloads.event_payloads import payload
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, MAX_PAYLOAD_BYTES, stringify

_LOCKED = "leanbe_locked"
Found = TypeVar("Found")
#: Built once, as that takes longer than to run the statement.
_LOCK = (
    select(ProductRow)
    .where(ProductRow.id.in_(bindparam("product_ids", expanding=True)))
    .order_by(ProductRow.id)
    # A new row that refers to a product need not wait for this lock.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a payload."""

    max_depth: int = MAX_DEPTH
    max_payload_bytes: int = MAX_PAYLOAD_BYTES


@dataclass(kw_only=True)
class Action:
    """One action: its transaction, the sources that it draws on, and the events that it raises.

    Attributes:
        session: the transaction. The caller commits it or rolls it back.
        clock: gives the instant of each event; ``now`` is the action's own instant, and ``now_ms``
            the same in milliseconds since 1970.
        ids: the source of ids and secrets.
        rules: the addresses that webhooks may have.
        assume: the assumptions of products that the action creates.
        limits: the limits of a payload.
        given_ids: the ids of the first documents that the action creates, in order; None for a new
            id.
        latest_documents: the values in the last event of each document, by the document's id. An
            action records a document's event after its change, so these values are current.
        events: the events that the action raises, in order.
    """

    session: Session
    clock: Clock
    ids: Ids
    rules: TargetRules
    assume: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    given_ids: Sequence[str | None] = ()
    now: datetime = field(init=False)
    now_ms: int = field(init=False)
    latest_documents: dict[str, Mapping[str, JSON]] = field(init=False, default_factory=dict)
    events: list[NewEvent] = field(init=False, default_factory=list)
    _given: Iterator[str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock.now()
        self.now_ms = to_milliseconds(self.now)
        self._given = iter(self.given_ids)

    def new_id(self, *, among: type[Any] | None = None) -> str:
        """Return the id of a new document: the next given id, or an ObjectId of now.

        While a database's manual clock stands still, only ids order the documents. The new id then
        follows those that other processes have made, so that lists are in the order of creation.

        Args:
            among: the table whose documents the new one is listed with.
        """
        given = next(self._given, None)
        if given is not None:
            return given
        if among is not None and stands_still(self.clock):
            self.ids.follow(self._last_id(among), of=IdOf.DOCUMENT)
        return self.ids.object_id(self.now)

    def _last_id(self, table: type[Any]) -> str | None:
        """Return a table's last id of the present second; None where there is none."""
        in_second = table.id.between(*ids_of_second(self.now_ms // 1000))
        last: str | None = self.session.scalar(select(func.max(table.id)).where(in_second))
        return last

    def touch(self, row: Any) -> None:
        """Move a row's ``updatedAt`` to now, or to one millisecond after its last value.

        So each state of a document has its own ``updatedAt``, even while the clock stands still or
        goes back.
        """
        row.updated_at = max(self.now_ms, row.updated_at + 1)

    def lock(self, *products: ProductRow) -> None:
        """Lock products until the commit, and read their present rows.

        Every change of a product or of its documents begins with this. So two callers act one after
        the other, and an event comes before the change or after it. Rows that were read before the
        lock are read again on their next use.

        Raises:
            NotFound: somebody has deleted one of the products.
        """
        wanted, locked = {product.id for product in products}, _locked_by(self.session)
        if wanted <= locked:
            return
        if not is_sole_writer(self.session):
            self._lock(wanted)
        locked.update(wanted)

    def _lock(self, product_ids: Collection[str]) -> None:
        self.session.flush()
        self.session.expire_all()
        locked = self.session.scalars(_LOCK, {"product_ids": list(product_ids)}).all()
        for missing in set(product_ids) - {product.id for product in locked}:
            raise deleted_meanwhile(f"product {missing}")

    def lock_found(self, find: Callable[[], tuple[Found, Collection[ProductRow]]]) -> Found:
        """Lock the products that a query finds; return what the query finds under their locks.

        Under the locks, it may find other products. Then the locks are released, and those of the
        other products taken from the beginning: to add one out of order could mean to wait for a
        transaction that waits for this one.

        Args:
            find: runs the query; returns its result, and the products to lock.

        Raises:
            NotFound: somebody has deleted one of the products.
        """
        found, products = find()
        while not self.holds(*products):
            held = frozenset(_locked_by(self.session))
            with _savepoint(self.session) as savepoint:
                self.lock(*products)
                found, products = find()
                if not self.holds(*products):
                    savepoint.rollback()
                    _locked_by(self.session).intersection_update(held)
        return found

    def holds(self, *products: ProductRow) -> bool:
        """Return whether this transaction has locked all of these products."""
        return {product.id for product in products} <= _locked_by(self.session)

    def record(
        self,
        name: str,
        product: ProductRow,
        values: Mapping[str, JSON],
        *,
        updated_at: int,
        before: Mapping[str, JSON] | None = None,
    ) -> None:
        """Add an event, which the caller records after the action's end.

        Args:
            name: the event name.
            product: the product of the event. The payload follows the product's assumptions.
            values: the document's values, and those that the event adds (``wire.payloads``).
            updated_at: the document's ``updatedAt`` in milliseconds.
            before: the document's values before the action, for events that show the change.

        Raises:
            PayloadTooLarge: the payload is longer than the limit.
            PayloadTooDeep: the payload is nested deeper than the limit.
        """
        self.latest_documents[values["_id"]] = values
        assumptions = parse_assumptions(product.assumptions)
        if before is not None:
            values = {**values, **_difference(name, before, values, assumptions)}
        text = stringify(
            payload(name, values, assumptions=assumptions),
            max_depth=self.limits.max_depth,
            max_bytes=self.limits.max_payload_bytes,
        )
        self.events.append(
            NewEvent(
                product_id=product.id,
                name=name,
                payload_text=text,
                document_updated_at=updated_at,
                at=self.clock.now(),
            )
        )


def _difference(
    event: str, before: Mapping[str, JSON], after: Mapping[str, JSON], assumptions: AssumptionSet
) -> dict[str, JSON]:
    """Return the members that show a change in an event (contract b.7, d-26)."""
    if not assumptions.include_changes:
        return {"previousStatus": before.get("status")}
    resource = event_kind(event).resource
    return {
        "previousStatus": before.get("status"),
        "changes": list_changes(resource, before, after, assumptions),
    }


def _savepoint(session: Session) -> AbstractContextManager[Any]:
    """Set a savepoint; rows that were read stay in the session after a rollback to it."""
    session.flush()
    if is_sole_writer(session):
        return nullcontext(_NoLocks())
    return session.connection().begin_nested()


class _NoLocks:
    """The savepoint of a database that needs no locks."""

    def rollback(self) -> None:
        """Release nothing."""


def _locked_by(session: Session) -> set[str]:
    """Return the ids of the products that a transaction has locked until its end."""
    locked: set[str] = session.info.setdefault(_LOCKED, set())
    return locked


def forget_locks(session: Session) -> None:
    """Forget the locks: a rollback to a savepoint releases those that were taken after it."""
    session.info.pop(_LOCKED, None)


Row = TypeVar("Row", bound=OfProduct)
#: Returns the values of documents by the documents' names.
DocumentsOf = Callable[[Session, ProductRow, Sequence[Row]], list[dict[str, JSON]]]


def record(  # noqa: PLR0913 - the event, its document, and how to read it
    action: Action,
    event: str,
    product: ProductRow,
    row: Row,
    documents: DocumentsOf[Row],
    *,
    before: Mapping[str, JSON] | None = None,
) -> None:
    """Add an event with the present values of its document; see ``Action.record``."""
    (values,) = documents(action.session, product, [row])
    action.record(event, product, values, updated_at=row.updated_at, before=before)


@contextmanager
def changing(
    action: Action, event: str, product: ProductRow, row: Row, documents: DocumentsOf[Row]
) -> Iterator[None]:
    """Lock the product; if the block changes the document, move ``updatedAt`` and add an event."""
    action.lock(product)
    (before,) = documents(action.session, product, [row])
    yield
    action.session.flush()
    (after,) = documents(action.session, product, [row])
    if changed_names(before, after):
        action.touch(row)
        # Flush within the action: a later flush would not be undone if the action fails.
        action.session.flush()
        record(action, event, product, row, documents, before=before)
