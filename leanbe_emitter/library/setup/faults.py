"""``leanbe.faults``: deliberate, counted misbehaviours, armed in order and fired in order.

They are rows of the database: every process that sends from it takes them, each as often as asked.
What the kinds are and do stands in ``wire.faults``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.attempt.fault_transport import needs_wire
from leanbe_emitter.delivery.in_process.receivers import Receivers
from leanbe_emitter.delivery.queue.faults import release_all
from leanbe_emitter.errors import FaultNeverFired, InvalidValue
from leanbe_emitter.ids import IdOf
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.engine.notify import tell_workers
from leanbe_emitter.storage.schema.tables import FaultRow, WebhookRow
from leanbe_emitter.wire.event_names import matching
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, FaultKind, Misbehaviour

#: What a count of times may be at the most: what a database's integer holds.
_MOST_TIMES = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A misbehaviour that is asked for, so many times.

    Attributes:
        kind: its kind; several that happen together are joined by ``+``, each with its own how.
        how: how it is done; None where there is one way only, or several kinds.
        times: how many deliveries take it.
        fired: how many have.
        event: the glob of events that it is meant for; None: any.
        product_id: whose events it is meant for; None: any product's.
        must_fire: whether the test that armed it fails if it never fires.
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
        misbehaviour = Misbehaviour.read(row.misbehaviour)
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
        """What it does and to what, in words: ``receiver_fails:timeout for idea.*``."""
        how = f":{self.how}" if self.how else ""
        which = f" for {self.event}" if self.event else ""
        return f"{self.kind}{how}{which}"

    def __str__(self) -> str:
        return f"{self.name}, fired {self.fired} of {self.times} times"


class Which(TypedDict, total=False):
    """How often a fault fires, and for what.

    Attributes:
        times: how many deliveries take it; once by default.
        event: a glob of event names that it is meant for; any by default.
        product: whose events it is meant for; any product's by default.
        must_fire: False says that it need not fire: a test that armed it does not fail for that.
    """

    times: int
    event: str | None
    product: ProductRef | None
    must_fire: bool


class Faults:
    """The faults of a database; each method but a few arms one of the kind that it is named after.

    One attempt takes one fault: the first one, in the order in which they were armed, that is meant
    for it and has fired less often than asked.

    Args:
        receivers: those in this process, to which some faults cannot be done.
    """

    kinds: Sequence[FaultKind] = FAULT_KINDS

    def __init__(self, transactions: Transactions, *, receivers: Receivers) -> None:
        self._transactions = transactions
        self._receivers = receivers
        self._armed: set[str] = set()

    def add(self, kind: str, *, how: str | None = None, **which: Unpack[Which]) -> Fault:
        """Arm a fault of any kind, or of several that happen together.

        Args:
            kind: its name; ``wrong_secret+delivered_twice`` for several at the same attempt, and
                ``receiver_fails:status:503+delivered_twice`` where they are to say how.
            how: how it is done, where there are several ways.
            which: how often it fires, and for what: see ``Which``.

        Raises:
            InvalidValue: there is no such kind, way or event, they do not go together, or ``times``
                is less than 1.
            NotFound: there is no such product.
            FaultNeedsWire: all that it can be meant for is received in this process.
        """
        return self._arm(Misbehaviour.of(kind, how), which)

    def receiver_fails(self, *, how: str = "timeout", **which: Unpack[Which]) -> Fault:
        """Let the receiver fail without being called; no time passes.

        Args:
            how: ``timeout``, ``refused``, ``reset``, ``slow`` or ``status:503`` and its like.
            which: see ``add``, which also tells what is raised.
        """
        return self.add("receiver_fails", how=how, **which)

    def receiver_fails_after_call(self, *, how: str = "timeout", **which: Unpack[Which]) -> Fault:
        """Let the receiver's answer be lost after it was called; no more time passes.

        Args:
            how: ``timeout``, ``reset``, ``slow`` or ``status:503`` and its like.
            which: see ``add``, which also tells what is raised.
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
        """Say that the event was triggered so long before it was (a duration); see ``add``."""
        return self.add("stale_body", how=how, **which)

    def truncated_body(self, **which: Unpack[Which]) -> Fault:
        """Send the first half of the body only; see ``add``."""
        return self.add("truncated_body", **which)

    def unknown_event(self, **which: Unpack[Which]) -> Fault:
        """Give the event a name that is none of the 22, rightly signed; see ``add``."""
        return self.add("unknown_event", **which)

    def unknown_field(self, **which: Unpack[Which]) -> Fault:
        """Add a member to the payload that nobody knows, rightly signed; see ``add``."""
        return self.add("unknown_field", **which)

    def slow_body(self, *, how: str = "1s", **which: Unpack[Which]) -> Fault:
        """Send the body in pieces over so long (a duration), in real time; see ``add``."""
        return self.add("slow_body", how=how, **which)

    def connection_closed(self, *, how: str = "close", **which: Unpack[Which]) -> Fault:
        """Hang up before the answer, by ``close`` or by ``reset``; see ``add``."""
        return self.add("connection_closed", how=how, **which)

    def delivered_twice(self, **which: Unpack[Which]) -> Fault:
        """Send the same request twice, one after the other; see ``add``."""
        return self.add("delivered_twice", **which)

    def delivered_late(self, *, how: str = "10m", **which: Unpack[Which]) -> Fault:
        """Make the attempt so much later (a duration); see ``add``."""
        return self.add("delivered_late", how=how, **which)

    def delivered_out_of_order(self, *, how: str = "1m", **which: Unpack[Which]) -> Fault:
        """Let the product's next event overtake; wait so long for it (a duration); see ``add``."""
        return self.add("delivered_out_of_order", how=how, **which)

    def not_delivered(self, **which: Unpack[Which]) -> Fault:
        """Never send it; see ``add``."""
        return self.add("not_delivered", **which)

    def list(self) -> "list[Fault]":
        """Return the faults that were armed and not cleared, in the order in which they fire."""
        with self._transactions.looking() as session:
            return [Fault.of(row) for row in session.scalars(_in_order())]

    def clear(self) -> None:
        """Forget all faults; what one holds back is due at once."""
        with self._transactions.acting() as action:
            release_all(action.session, now=to_milliseconds(action.now))
            tell_workers(action.session)

    def require_fired(self) -> None:
        """See to it that every fault fired that was armed here: a test that armed it means it.

        Raises:
            FaultNeverFired: one did not, and did not say that it need not.
        """
        if not self._armed:
            return
        armed = [each for each in self.list() if each.id in self._armed]
        idle = [each for each in armed if each.must_fire and not each.fired]
        if idle:
            raise FaultNeverFired(
                f"{_count(idle)} never fired: {'; '.join(each.name for each in idle)}.",
                hint="Was anything sent that it is meant for? must_fire=False: it need not fire.",
            )

    def _arm(self, misbehaviour: Misbehaviour, which: Which) -> Fault:
        times, event = which.get("times", 1), which.get("event")
        if not 1 <= times <= _MOST_TIMES:
            raise InvalidValue(f"A fault cannot fire {times} times.", hint="Give 1 or more.")
        if event is not None:
            matching(event)
        with self._transactions.acting() as action:
            session, product = action.session, which.get("product")
            product_id = None if product is None else product_row(session, product).id
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
        """See to it that some receiver may be on the network; there may be none yet."""
        urls = session.scalars(
            select(WebhookRow.url)
            .where(WebhookRow.url.is_not(None))
            .where(true() if product_id is None else WebhookRow.product_id == product_id)
        ).all()
        if urls and all(url and self._receivers.at(url) for url in urls):
            raise needs_wire(urls[0] or "")


def _in_order() -> Select[FaultRow]:
    return select(FaultRow).order_by(FaultRow.position, FaultRow.id)


def _count(faults: Sequence[Fault]) -> str:
    return "A fault" if len(faults) == 1 else f"{len(faults)} faults"
