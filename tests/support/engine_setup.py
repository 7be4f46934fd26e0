"""Test bench of the delivery engine: a database, a clock that stands still, and repeatable ids."""

import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from leanbe_emitter.clock import ManualClock, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Settlement
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.domain import products, webhooks
from leanbe_emitter.domain.action import Action
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import START, Cursor, Entry
from leanbe_emitter.storage.schema.states import DUE, DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import (
    AttemptRow,
    DeliveryRow,
    EventRow,
    FaultRow,
    JournalRow,
    ProductRow,
    WebhookRow,
)
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.faults.catalogue import FaultSpec
from tests.support.waiting import wait_until

URL = "http://127.0.0.1:1/hooks/leanbe"
SECRET = "whsec_test"
START_AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LEASE_SECONDS = 30.0
#: More deliveries than any test has.
ALL = 1000

STATES = {
    Outcome.DELIVERED: DeliveryState.DELIVERED,
    Outcome.REFUSED: DeliveryState.WAITING,
    Outcome.UNREACHABLE: DeliveryState.WAITING,
    Outcome.UNKNOWN: DeliveryState.WAITING,
}


@dataclass(kw_only=True)
class Bench:
    """The parts of the engine for a test, with actions on them and reads of their rows."""

    database: Database
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_AT))
    ids: Ids = field(default_factory=lambda: Ids(random.Random(5)))

    @property
    def now(self) -> int:
        return to_milliseconds(self.clock.now())

    def product(
        self,
        name: str = "Acme",
        *,
        url: str | None = URL,
        headers: Mapping[str, str] | None = None,
        **assume: str,
    ) -> str:
        """Create a product with a webhook; return its id."""
        with self.database.transaction() as session:
            action = self.action(session)
            row = products.create(action, name, assume=assume)
            if url is not None:
                webhooks.set_url(action, row, url, secret=SECRET, headers=(headers or {}).items())
            return row.id

    def sender(self, transport: Transport) -> Sender:
        """Return a sender over a transport, with waits that follow the schedule without jitter."""
        return Sender(transport, clock=self.clock, jitter=None, rules=TargetRules())

    def set_url(self, product: str, url: str) -> None:
        """Set a product's URL."""
        with self.database.transaction() as session:
            webhooks.set_url(self.action(session), session.get_one(ProductRow, product), url)

    def clear(self, product: str) -> None:
        """Clear a product's webhook."""
        with self.database.transaction() as session:
            webhooks.clear(self.action(session), session.get_one(ProductRow, product))

    def delete(self, product: str) -> None:
        """Delete a product and everything that belongs to it."""
        with self.database.transaction() as session:
            products.remove(self.action(session), session.get_one(ProductRow, product))

    def remove_url(self, product: str) -> None:
        """Remove a product's URL, and leave its deliveries unchanged."""
        with self.database.transaction() as session:
            session.get_one(WebhookRow, product).url = None

    def rotate(self, product: str, secret: str) -> None:
        """Give a product's webhook a new secret."""
        with self.database.transaction() as session:
            row = session.get_one(ProductRow, product)
            webhooks.rotate(self.action(session), row, secret=secret)

    def assume(self, product: str, **assume: str) -> None:
        """Set a product's assumptions."""
        with self.database.transaction() as session:
            session.get_one(ProductRow, product).assumptions = assume

    def record(self, *events: NewEvent, lease: Lease | None = None) -> list[Recorded]:
        """Record events in one transaction."""
        with self.database.transaction() as session:
            return record(session, events, now=self.clock.now(), ids=self.ids, lease=lease)

    def roll_back(self, *events: NewEvent) -> None:
        """Record events in a transaction that is rolled back."""
        with suppress(ZeroDivisionError), self.database.transaction() as session:
            record(session, events, now=self.clock.now(), ids=self.ids)
            raise ZeroDivisionError

    def enqueue(self, product: str, count: int = 1, *, lease: Lease | None = None) -> list[str]:
        """Record a number of events of a product; return the ids of their deliveries."""
        recorded = self.record(*[new_event(product, n=n) for n in range(count)], lease=lease)
        return [each.delivery_id for each in recorded if each.delivery_id is not None]

    def arm(self, kind: str, *, times: int = 1, event: str | None = None) -> str:
        """Arm a fault; return its id."""
        with self.database.transaction() as session:
            row = FaultRow(
                id=self.ids.object_id(self.clock.now(), of=IdOf.FAULT),
                position=session.query(FaultRow).count(),
                misbehaviour=str(FaultSpec.parse(kind)),
                times=times,
                fired=0,
                event=event,
                must_fire=True,
                armed_at=self.now,
            )
            session.add(row)
            return row.id

    def fired(self, fault_id: str) -> int:
        """Return the number of deliveries to which a fault was applied."""
        with self.database.reading() as session:
            return session.get_one(FaultRow, fault_id).fired

    def queue(self, *, lease_seconds: float = LEASE_SECONDS) -> Queue:
        """Return a queue, as one more worker has it."""
        return Queue(self.database, clock=self.clock, ids=self.ids, lease_seconds=lease_seconds)

    def enqueue_retries(self, product: str, count: int = 1) -> list[str]:
        """Record deliveries that were refused once and are due again; return their ids."""
        queue = self.queue()
        deliveries = self.enqueue(product, count)
        queue.settle([settlement_of(each, Outcome.REFUSED) for each in claim(queue)])
        queue.wake()
        return deliveries

    def expire_leases(self, queue: Queue) -> None:
        """Let every lease expire, and settle the lost deliveries."""
        self.clock.advance(seconds=LEASE_SECONDS)
        queue.reap()

    def set_state(self, delivery_id: str, state: DeliveryState) -> None:
        """Set the state of a delivery that no worker holds."""
        with self.database.transaction() as session:
            session.get_one(DeliveryRow, delivery_id).state = state

    def delivery(self, delivery_id: str) -> DeliveryRow:
        """Return a delivery's row."""
        with self.database.reading() as session:
            return session.get_one(DeliveryRow, delivery_id)

    def state(self, delivery_id: str) -> DeliveryState:
        """Return the state of a delivery."""
        return self.delivery(delivery_id).state

    def event(self, event_id: str) -> EventRow:
        """Return an event's row."""
        with self.database.reading() as session:
            return session.get_one(EventRow, event_id)

    def attempts(self, delivery_id: str) -> Sequence[AttemptRow]:
        """Return the recorded attempts of a delivery, in order."""
        with self.database.reading() as session:
            return session.scalars(
                select(AttemptRow)
                .where(AttemptRow.delivery_id == delivery_id)
                .order_by(AttemptRow.number)
            ).all()

    def journal(self, after: Cursor = START) -> list[Entry]:
        """Return all entries after a cursor, when no open transaction can add earlier ones.

        On PostgreSQL this depends on all transactions of the cluster, those of other tests
        included.
        """
        wait_until(self._is_all_readable, "every entry of the journal can be read")
        with self.database.reading() as session:
            return journal.read(session, after)

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        with self.database.reading() as session:
            statement = text(f"SELECT count(*) FROM {table}")  # noqa: S608 - the test names the table
            return int(session.execute(statement).scalar_one())

    def _is_all_readable(self) -> bool:
        with self.database.reading() as session:
            return len(list(journal.rows(session, START))) == len(
                session.scalars(select(JournalRow.position)).all()
            )

    def action(self, session: Session) -> Action:
        """Return an action in the test's transaction."""
        return Action(session=session, clock=self.clock, ids=self.ids, rules=TargetRules())


class RecordingWatcher(Watcher):
    """A watcher that notes the attempts that began, and those that were settled."""

    def __init__(self) -> None:
        self.begins: list[StartedAttempt] = []
        self.ends: list[Attempt] = []

    def started(self, attempt: StartedAttempt) -> None:
        self.begins.append(attempt)

    def ended(self, attempt: Attempt) -> None:
        begun = [(each.delivery_id, each.number) for each in self.begins]
        assert (attempt.delivery_id, attempt.number) in begun
        self.ends.append(attempt)


def new_event(
    product: str,
    *,
    n: int = 0,
    name: str = "idea.created",
    document_updated_at: int = 0,
    assumptions: Mapping[str, str] | None = None,
) -> NewEvent:
    """Return a new event of a product, whose payload contains a number."""
    return NewEvent(
        product_id=product,
        name=name,
        payload_text=f'{{"_id":"{n}","title":"Été ☀"}}',
        document_updated_at=document_updated_at,
        assumptions=assumptions or {},
    )


def claim(
    queue: Queue,
    room: int = ALL,
    *,
    per_product: int = ALL,
    held: Mapping[str, int] | None = None,
    among: Collection[DeliveryState] = DUE,
) -> list[Claimed]:
    """Claim from a queue."""
    return queue.claim(Room(total=room, held=held or {}, per_product=per_product, among=among))


def ids_of(claimed: Sequence[Claimed | StartedAttempt]) -> list[str]:
    """Return the ids of claimed or attempted deliveries."""
    return [each.delivery_id for each in claimed]


def settlement_of(
    claimed: Claimed,
    outcome: Outcome = Outcome.DELIVERED,
    *,
    state: DeliveryState | None = None,
    due_at: int = 0,
) -> Settlement:
    """Return the settlement of an attempt with this outcome."""
    return claimed.settlement(
        state=state or STATES[outcome],
        due_at=due_at,
        evidence=Evidence(
            outcome=outcome,
            started_at=0,
            duration_us=1,
            url=URL,
            fault=None if claimed.fault is None else str(claimed.fault),
        ),
    )
