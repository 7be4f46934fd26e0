"""One action of a user: load, check, change, record, in a transaction that the caller owns.

An action locks its products first, in the order of their ids: what it then reads stays as it is
until the commit, so that no check is overtaken and no counter drifts. Its events are recorded by
the caller after its end, all at once and in their order; a refused action has none, and is rolled
back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.domain.fields import changes
from leanbe_emitter.domain.references import deleted_meanwhile
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.outbox import NewEvent
from leanbe_emitter.storage.engine.writer_lock import is_alone
from leanbe_emitter.storage.queries.clock import stands_still
from leanbe_emitter.storage.queries.last_ids import last_id
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.targets import TargetRules
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.payloads.resources import payload
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, MAX_PAYLOAD_BYTES, stringify

_LOCKED = "leanbe_locked"
#: Put together once, as that takes longer than the statement itself.
_LOCK = (
    select(ProductRow)
    .where(ProductRow.id.in_(bindparam("product_ids", expanding=True)))
    .order_by(ProductRow.id)
    # A new row that refers to a product does not have to wait for this lock.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large a payload may be."""

    max_depth: int = MAX_DEPTH
    max_payload_bytes: int = MAX_PAYLOAD_BYTES


@dataclass(kw_only=True)
class Action:
    """What every action of the domain is given.

    Attributes:
        session: the transaction; the caller commits it, or rolls it back with all that it held.
        clock: tells the instant of each event; ``now`` is the action's own.
        ids: the source of ids and secrets.
        rules: where webhooks may point.
        assume: the assumptions of products that are made here.
        limits: how large a payload may be.
        given_ids: of the first documents that are made here, in their order; None for a new id.
        told: what its events told last of each document: its values, by its id. An action that
            changes a document and tells of it does so in this order: so it is as it is told.
        events: what it is to record, in order.
    """

    session: Session
    clock: Clock
    ids: Ids
    rules: TargetRules
    assume: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    given_ids: Sequence[str | None] = ()
    now: datetime = field(init=False)
    told: dict[str, Mapping[str, JSON]] = field(init=False, default_factory=dict)
    events: list[NewEvent] = field(init=False, default_factory=list)
    _given: Iterator[str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock.now()
        self._given = iter(self.given_ids)

    @property
    def now_ms(self) -> int:
        """The instant in milliseconds since 1970."""
        return to_milliseconds(self.now)

    def new_id(self, *, among: type[Any] | None = None) -> str:
        """Return the id of a new document: the next that was given, or an ObjectId of now.

        Args:
            among: the table whose documents it is listed with. Where time stands still for several
                processes, its id alone puts it behind what another one made there.
        """
        given = next(self._given, None)
        if given is not None:
            return given
        if among is not None and stands_still(self.clock):
            last = last_id(self.session, among, second=self.now_ms // 1000)
            self.ids.follow(last, of=IdOf.DOCUMENT)
        return self.ids.object_id(self.now)

    def touch(self, row: Any) -> None:
        """Let the ``updatedAt`` of a document's row move on: to now, or past what it was.

        Where time stands still or goes back, a later state is to be told from an earlier one, too.
        """
        row.updated_at = max(self.now_ms, row.updated_at + 1)

    def lock(self, *products: ProductRow) -> None:
        """Let nobody else act on these products until the commit, and see all as it is now.

        What changes a product or what hangs on it begins with this, so that two callers at once
        come one after the other, and an event is recorded before the change or after it. Rows that
        were read before the lock are read again when they are used.

        Raises:
            NotFound: somebody deleted one of the products meanwhile.
        """
        wanted, locked = {product.id for product in products}, _locked_by(self.session)
        if wanted <= locked:
            return
        if not is_alone(self.session):
            self._lock(wanted)
        locked.update(wanted)

    def _lock(self, product_ids: Collection[str]) -> None:
        self.session.flush()
        self.session.expire_all()
        locked = self.session.scalars(_LOCK, {"product_ids": list(product_ids)}).all()
        for missing in set(product_ids) - {product.id for product in locked}:
            raise deleted_meanwhile(f"product {missing}")

    def holds(self, *products: ProductRow) -> bool:
        """Say whether all of these products are locked by this transaction."""
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
        """Let an event be recorded after the action's end.

        Args:
            name: the event name.
            product: whose event it is; the payload follows its assumptions.
            values: the document's, and what the event adds (``wire.payloads``).
            updated_at: the document's ``updatedAt`` in milliseconds.
            before: the document's values before the action, for events that tell of the change.

        Raises:
            PayloadTooLarge: the payload is longer than the limit.
            PayloadTooDeep: it is nested deeper than the limit.
        """
        self.told[values["_id"]] = values
        assumptions = assumptions_of(product)
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
    """Return what an event may say of a change (contract b.7, d-26)."""
    if not assumptions.include_changes:
        return {"previousStatus": before.get("status")}
    resource = event_kind(event).resource
    return {
        "previousStatus": before.get("status"),
        "changes": changes(resource, before, after, assumptions),
    }


def _locked_by(session: Session) -> set[str]:
    """Return the products that actions of a transaction have locked: they stay so until its end."""
    locked: set[str] = session.info.setdefault(_LOCKED, set())
    return locked


def forget_locks(session: Session) -> None:
    """Lock anew from now on: going back to a savepoint lets go of what was locked behind it."""
    session.info.pop(_LOCKED, None)


def assumptions_of(product: ProductRow) -> AssumptionSet:
    """Return how a product reads the article."""
    return parse_assumptions(product.assumptions)
