"""``leanbe.faults``: deliberate, counted misbehaviours, which fire in the order of arming.

The database stores them. Every process that sends from the database applies them, each fault as
often as its ``times`` says. ``wire.faults`` describes the kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.attempt.fault_transport import needs_wire
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.queue.fault_assignment import release_all
from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.lookup import find
from leanbe_emitter.errors import FaultNeverFired, InvalidValue, check_type
from leanbe_emitter.ids import IdOf
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.engine.database import notify_workers
from leanbe_emitter.storage.schema.tables import FaultRow, WebhookRow
from leanbe_emitter.wire.event_names import matching
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, FaultKind, FaultSpec

#: The largest ``times``: the largest integer of the database.
_MOST_TIMES = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An armed fault: a misbehaviour, and how often it fires.

    Attributes:
        kind: the kind. Several kinds that happen together are joined by ``+``, each with its how.
        how: the variant of the kind; None if the kind has one variant, or there are several kinds.
        times: the number of attempts that the fault applies to.
        fired: the number of attempts that it applied to so far.
        event: an event name or glob that the fault applies to; None: any event.
        product_id: the product whose events the fault applies to; None: any product.
        must_fire: whether the test that armed the fault fails if it never fires.
    """

    id: str
    kind: str
    how: str | None
    times: int
    fired: int
    event: str | None
    product_id: str | None
    must_fire: bool

    @classmethod
    def of(cls, row: FaultRow) -> "Fault":
        """Take a snapshot of the row."""
        misbehaviour = FaultSpec.from_text(row.misbehaviour)
        (first, *others) = misbehaviour.parts
        return cls(
            id=row.id,
            kind=str(misbehaviour) if others else first.kind,
            how=None if others else first.how or None,
            times=row.times,
            fired=row.fired,
            event=row.event,
            product_id=row.product_id,
            must_fire=row.must_fire,
        )

    def document(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        return {
            "_id": self.id,
            "kind": self.kind,
            "how": self.how,
            "times": self.times,
            "fired": self.fired,
            "event": self.event,
            "product": self.product_id,
            "mustFire": self.must_fire,
        }

    @property
    def name(self) -> str:
        """The kind, the variant and the events: ``receiver_fails:timeout for idea.*``."""
        how = f":{self.how}" if self.how else ""
        which = f" for {self.event}" if self.event else ""
        return f"{self.kind}{how}{which}"

    def __str__(self) -> str:
        return f"{self.name}, fired {self.fired} of {self.times} times"


class Which(TypedDict, total=False):
    """Options of a fault: how often it fires, and for which events.

    Attributes:
        times: the number of attempts that the fault applies to; 1 by default.
        event: an event name or glob that it applies to; any event by default.
        product: the product whose events it applies to; any product by default.
        must_fire: False allows that the fault never fires; otherwise the test that armed it fails.
    """

    times: int
    event: str | None
    product: ProductRef | None
    must_fire: bool


class Faults:
    """The faults of a database. Methods named after a kind arm a fault of that kind.

    At most one fault applies to an attempt: the first armed fault that matches it and has not fired
    as often as its ``times`` says.

    Args:
        receivers: the receivers in this process; some faults need the network.
    """

    kinds: Sequence[FaultKind] = FAULT_KINDS

    def __init__(self, transactions: Transactions, *, receivers: ReceiverRegistry) -> None:
        self._transactions = transactions
        self._receivers = receivers
        self._armed: set[str] = set()

    def add(self, kind: str, *, how: str | None = None, **which: Unpack[Which]) -> Fault:
        """Arm a fault of any kind, or of several that happen together.

        Args:
            kind: the name of the kind; ``wrong_secret+delivered_twice`` for several kinds at the
                same attempt, and ``receiver_fails:status:503+delivered_twice`` to choose variants.
            how: the variant, if the kind has several.
            which: how often the fault fires, and for which events: see ``Which``.

        Raises:
            InvalidValue: there is no such kind, variant or event, the kinds do not go together, or
                ``times`` is less than 1.
            NotFound: there is no such product.
            FaultNeedsWire: the fault needs the network, and all its receivers are in this process.
        """
        return self._arm(FaultSpec.parse(kind, how), which)

    def receiver_fails(self, *, how: str = "timeout", **which: Unpack[Which]) -> Fault:
        """Simulate that the receiver fails, without calling it; no time passes.

        Args:
            how: ``timeout``, ``refused``, ``reset``, ``slow`` or ``status:503`` and its like.
            which: see ``add``, which also lists the errors.
        """
        return self.add("receiver_fails", how=how, **which)

    def receiver_fails_after_call(self, *, how: str = "timeout", **which: Unpack[Which]) -> Fault:
        """Call the receiver, then simulate that its answer is lost; no more time passes.

        Args:
            how: ``timeout``, ``reset``, ``slow`` or ``status:503`` and its like.
            which: see ``add``, which also lists the errors.
        """
        return self.add("receiver_fails_after_call", how=how, **which)

    def tampered_payload(self, **which: Unpack[Which]) -> Fault:
        """Alter the payload after it was signed; see ``add``."""
        return self.add("tampered_payload", **which)

    def wrong_secret(self, **which: Unpack[Which]) -> Fault:
        """Sign with another secret than the webhook's; see ``add``."""
        return self.add("wrong_secret", **which)

    def missing_signature(self, **which: Unpack[Which]) -> Fault:
        """Leave the signature out; see ``add``."""
        return self.add("missing_signature", **which)

    def stale_body(self, *, how: str = "1d", **which: Unpack[Which]) -> Fault:
        """Set ``triggeredAt`` into the past by a duration; see ``add``."""
        return self.add("stale_body", how=how, **which)

    def truncated_body(self, **which: Unpack[Which]) -> Fault:
        """Send the first half of the body only; see ``add``."""
        return self.add("truncated_body", **which)

    def unknown_event(self, **which: Unpack[Which]) -> Fault:
        """Send an unknown event name, correctly signed; see ``add``."""
        return self.add("unknown_event", **which)

    def unknown_field(self, **which: Unpack[Which]) -> Fault:
        """Add an unknown member to the payload, correctly signed; see ``add``."""
        return self.add("unknown_field", **which)

    def slow_body(self, *, how: str = "1s", **which: Unpack[Which]) -> Fault:
        """Send the body in pieces over a duration of real time; see ``add``."""
        return self.add("slow_body", how=how, **which)

    def connection_closed(self, *, how: str = "close", **which: Unpack[Which]) -> Fault:
        """Close or reset the connection before the answer; see ``add``."""
        return self.add("connection_closed", how=how, **which)

    def delivered_twice(self, **which: Unpack[Which]) -> Fault:
        """Send the same request twice, one after the other; see ``add``."""
        return self.add("delivered_twice", **which)

    def delivered_late(self, *, how: str = "10m", **which: Unpack[Which]) -> Fault:
        """Delay the attempt by a duration; see ``add``."""
        return self.add("delivered_late", how=how, **which)

    def delivered_out_of_order(self, *, how: str = "1m", **which: Unpack[Which]) -> Fault:
        """Let the product's next event overtake; wait a duration for it; see ``add``."""
        return self.add("delivered_out_of_order", how=how, **which)

    def not_delivered(self, **which: Unpack[Which]) -> Fault:
        """Never send the request; see ``add``."""
        return self.add("not_delivered", **which)

    def list(self) -> "list[Fault]":
        """Return the faults that were armed and not cleared, in the order in which they fire."""
        with self._transactions.looking() as session:
            in_order = select(FaultRow).order_by(FaultRow.position, FaultRow.id)
            return [Fault.of(row) for row in session.scalars(in_order)]

    @one_transaction
    def delete(self, reference: Fault | str) -> None:
        """Delete a fault: it fires no more. An attempt that has taken it already keeps it.

        Args:
            reference: the fault, its id, or a part of its id.

        Raises:
            NotFound: there is no such fault.
            InvalidValue: several faults match.
        """
        with self._transactions.acting() as action:
            text = reference.id if isinstance(reference, Fault) else reference
            row = find(action.session, select(FaultRow), text, what="fault", by_id=FaultRow.id)
            action.session.delete(row)

    @one_transaction
    def clear(self) -> None:
        """Delete all faults. Deliveries that a fault holds back are due at once."""
        with self._transactions.acting() as action:
            release_all(action.session, now=to_milliseconds(action.now))
            notify_workers(action.session)

    def require_fired(self) -> None:
        """Check that every fault that this handle armed has fired.

        Raises:
            FaultNeverFired: a fault with ``must_fire`` has not.
        """
        if not self._armed:
            return
        armed = [each for each in self.list() if each.id in self._armed]
        idle = [each for each in armed if each.must_fire and not each.fired]
        if idle:
            count = "A fault" if len(idle) == 1 else f"{len(idle)} faults"
            raise FaultNeverFired(
                f"{count} never fired: {'; '.join(each.name for each in idle)}.",
                hint="Was a matching event sent? must_fire=False allows that a fault never fires.",
            )

    @one_transaction
    def _arm(self, misbehaviour: FaultSpec, which: Which) -> Fault:
        times, event = which.get("times", 1), which.get("event")
        check_type(times, int, what="times", words="a whole number")
        if not 1 <= times <= _MOST_TIMES:
            raise InvalidValue(f"A fault cannot fire {times} times.", hint="Give 1 or more.")
        if event is not None:
            matching(event)
        with self._transactions.acting() as action:
            session, product = action.session, which.get("product")
            product_id = None if product is None else lookup.product(session, product).id
            if misbehaviour.needs_wire:
                self._require_wire(session, product_id)
            last = session.scalar(select(func.max(FaultRow.position)))
            row = FaultRow(
                id=action.ids.object_id(action.now, of=IdOf.FAULT),
                position=(last or 0) + 1,
                misbehaviour=str(misbehaviour),
                times=times,
                fired=0,
                event=event,
                product_id=product_id,
                must_fire=which.get("must_fire", True),
                armed_at=to_milliseconds(action.now),
            )
            session.add(row)
            session.flush()
            self._armed.add(row.id)
            return Fault.of(row)

    def _require_wire(self, session: Session, product_id: str | None) -> None:
        """Check that a receiver may be on the network; there may be no receiver yet."""
        urls = session.scalars(
            select(WebhookRow.url)
            .where(WebhookRow.url.is_not(None))
            .where(true() if product_id is None else WebhookRow.product_id == product_id)
        ).all()
        if urls and all(url and self._receivers.at(url) for url in urls):
            raise needs_wire(urls[0] or "")
