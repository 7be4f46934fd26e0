"""Queue of deliveries: a delivery is claimable iff it is due and nobody holds its lease.

Every transition names the lease token of the claim, so that a late worker changes nothing. ``new``
(never attempted), ``ready`` (due again) and ``suspect`` (its lease ran out) *are* due: a claim
reads no clock. ``wake`` makes waiting deliveries ready. ``reap`` settles deliveries whose lease ran
out, for their dead worker. So a claim is an index scan, however many deliveries are finished.

Partial indexes find due states and hold only pending deliveries. ``delivered``, ``exhausted`` and
``cancelled`` are final; users see every other state as ``pending``.

A kill loses nothing: ``reap`` settles the vanished attempt as ``unknown``, and the delivery is due
again. A vanished attempt does not count against the schedule, but three in a row exhaust the
delivery. A suspect is claimed alone, so its neighbours do not vanish with it. Each new worker
begins with another suspect.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.queue import due_queries, fault_assignment
from leanbe_emitter.delivery.queue.due_queries import NOTHING, Due, Instants, Todo
from leanbe_emitter.delivery.queue.fairness import FairClaims, Room
from leanbe_emitter.delivery.queue.postgresql import Postgresql
from leanbe_emitter.delivery.queue.row_mapping import recorded_assumptions, with_webhooks
from leanbe_emitter.delivery.queue.sqlite import Sqlite
from leanbe_emitter.delivery.queue.statements import LEASE_ONE, ExpiredRow, Statements
from leanbe_emitter.delivery.queue.strict_ordering import firsts_of, strict_among
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Settlement
from leanbe_emitter.ids import IdOf, Ids, second_of_id
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.engine.database import Database, again_after_deadlock, notify_workers
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.stored_clock import StoredClock, stands_still
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow

#: Leases lost in a row that exhaust a delivery: it probably kills its workers.
LEASES_LOST_LIMIT = 3
#: Most rows that one statement wakes or reaps.
BATCH = 500
_SECOND_MS = 1000

_STATEMENTS: Mapping[str, type[Statements]] = {"sqlite": Sqlite, "postgresql": Postgresql}


@dataclass(frozen=True, kw_only=True)
class PollResult:
    """Result of one ``poll``.

    Attributes:
        lost: ids of deliveries that were not settled, because we had lost their leases.
        vanished: settlements for other workers whose leases had run out.
        claimed: deliveries that we hold now.
    """

    lost: Collection[str] = ()
    vanished: Sequence[Settlement] = ()
    claimed: Sequence[Claimed] = ()


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Result of ``catch_up``.

    Attributes:
        woken: number of waiting deliveries that became ready.
        vanished: settlements for other workers whose leases had run out.
        due: the counts afterwards.
    """

    woken: int
    vanished: Sequence[Settlement]
    due: Due


class Queue:
    """Queue of one database, for one worker.

    Args:
        clock: the clock of deliveries.
        lease_clock: the clock of leases, if it is another one: while a shared manual clock stands
            still, leases of killed workers must run out all the same.
        lease_seconds: length of a lease, unless it is renewed.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        lease_seconds: float,
        lease_clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._statements = _STATEMENTS[database.dialect]()
        self._clock = clock
        self._lease_clock = lease_clock or clock
        self._ids = ids
        self.lease_seconds = lease_seconds
        self._lease_ms = int(lease_seconds * 1000)
        self._claims = FairClaims(self._statements)

    @again_after_deadlock
    def claim(self, room: Room) -> list[Claimed]:
        """Claim due deliveries, up to the room: see ``FairClaims.claim``."""
        with self._database.transaction() as session:
            return self._claim(session, room)

    @again_after_deadlock
    def poll(
        self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
    ) -> PollResult:
        """Settle, wake, reap and claim, all in one transaction.

        Without settlements and work in the queue, nothing is written.

        Args:
            ended: settlements, written first.
            room: limits of the claim.
            ours: deliveries in flight here; they are never reaped here, whatever the clock says.
        """
        todo = None if ended else self._todo_before(room)
        if todo is not None and not todo:
            return PollResult()
        with self._database.transaction() as session:
            lost = self._settle(session, ended)
            todo = todo or due_queries.todo(session, self._instants(), statements=self._statements)
            if not (ended or todo):
                return PollResult()
            due_in = set(todo.due)
            if todo.wake and self._wake(session):
                due_in.add(DeliveryState.READY)
            vanished = self._reap_of_others(session, ours) if todo.reap else []
            if vanished:
                due_in.add(DeliveryState.SUSPECT)
            room = replace(room, among=due_in & set(room.among))
            claimed = self._claim(session, room) if room.among else []
        return PollResult(lost=lost, vanished=vanished, claimed=claimed)

    @again_after_deadlock
    def claim_one(self, delivery_id: str) -> Claimed | None:
        """Claim this one delivery, if it is due, nobody holds it, and no fault holds it back."""
        lease = self.new_lease()
        with self._database.transaction() as session:
            row = session.get(DeliveryRow, delivery_id)
            if row is None or self._is_held_back(session, row):
                return None
            if row.state is DeliveryState.WAITING:
                self._read_clock(session)
            key = {"id": row.id, "now": self._now(), "token": lease.token, "until": lease.until}
            if session.execute(LEASE_ONE, key).first() is None:
                return None
            claimed = self._with_faults(session, self._load(session, [delivery_id]))
            return claimed[0] if claimed else None

    @again_after_deadlock
    def load(self, delivery_ids: Sequence[str], *, token: str) -> list[Claimed]:
        """Return deliveries that ``outbox.record`` leased, if we still hold them.

        Deliveries that strict ordering holds back are released; a worker attempts them later.
        """
        with self._database.reading() as session:
            ours = [each for each in self._load(session, delivery_ids) if each.token == token]
            strict = strict_among(session, {each.product_id for each in ours})
            firsts = firsts_of(session, strict, statements=self._statements, token=token)
        held_back = [
            each
            for each in ours
            if each.product_id in strict and firsts.get(each.product_id) != each.delivery_id
        ]
        self.release(held_back)
        begun = [each for each in ours if each not in held_back]
        if not _may_have_faults(begun):
            return begun
        with self._database.transaction() as session:
            return self._with_faults(session, begun)

    def new_lease(self) -> Lease:
        """Return a new lease."""
        now = self._lease_clock.now()
        return Lease(
            token=self._ids.object_id(now, of=IdOf.LEASE),
            until=to_milliseconds(now) + self._lease_ms,
        )

    @again_after_deadlock
    def renew(self, claimed: Collection[Claimed]) -> None:
        """Renew leases; lost leases stay as they are."""
        if not claimed:
            return
        with self._database.transaction() as session:
            self._renew(session, claimed)

    def deleted_among(self, claimed: Collection[Claimed]) -> set[str]:
        """Return the ids of claimed deliveries that were deleted."""
        wanted = {each.delivery_id for each in claimed}
        if not wanted:
            return wanted
        there = select(DeliveryRow.id).where(DeliveryRow.id.in_(wanted))
        with self._database.reading() as session:
            return wanted.difference(session.scalars(there))

    @again_after_deadlock
    def release(self, claimed: Collection[Claimed]) -> None:
        """Release deliveries that were not attempted, as if they had never been claimed.

        Deliveries whose webhook has no URL any more are cancelled (contract c.1).
        """
        if not claimed:
            return
        with self._database.transaction() as session:
            rows = session.execute(self._statements.release, {"held": _held(claimed)}).all()
            ended = {row.id for row in rows if row.state == DeliveryState.CANCELLED}
            if len(ended) < len(rows):
                notify_workers(session)
            journal.cancelled(
                session,
                [
                    (each.event_id, each.delivery_id)
                    for each in claimed
                    if each.delivery_id in ended
                ],
            )

    @again_after_deadlock
    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        """Settle deliveries and store the evidence of their attempts.

        This wakes workers, as it does not claim itself: a retry may be due soon, and deliveries
        that strict ordering held back may be due now.

        Returns:
            Ids of deliveries that did not change, because we had lost their leases.
        """
        with self._database.transaction() as session:
            lost = self._settle(session, settlements)
            if len(lost) < len(settlements):
                notify_workers(session)
            return lost

    @again_after_deadlock
    def wake(self) -> int:
        """Make due waiting deliveries ready, up to ``BATCH``; return their number."""
        with self._database.transaction() as session:
            return self._wake(session)

    @again_after_deadlock
    def reap(self) -> list[Settlement]:
        """Settle deliveries whose lease ran out, up to ``BATCH``; they are due again.

        The vanished attempt is stored as unknown, and does not count against the schedule. A
        delivery that lost ``LEASES_LOST_LIMIT`` leases in a row is exhausted (contract c.5).
        """
        with self._database.transaction() as session:
            return self._reap(session)

    @again_after_deadlock
    def catch_up(self) -> CatchUp:
        """Wake, reap, and count what is due then, all in one transaction.

        It wakes and reaps up to ``BATCH`` each; where it did any, there may be more.
        """
        with self._database.transaction() as session:
            woken, vanished = self._wake(session), self._reap(session)
            pending = due_queries.count_due(session, now=self._now(), statements=self._statements)
        return CatchUp(woken=woken, vanished=vanished, due=pending)

    def todo(self) -> Todo:
        """Return what there is to claim, to wake and to reap."""
        with self._database.reading() as session:
            return due_queries.todo(session, self._instants(), statements=self._statements)

    def seconds_until_due(self, seconds: float) -> float:
        """Return the seconds until a retry falls due or a lease runs out; at most ``seconds``."""
        with self._database.reading() as session:
            self._read_clock(session)
            still = stands_still(self._clock)
            return due_queries.seconds_until_due(
                session, seconds, self._instants(), stands_still=still
            )

    def due(self) -> Due:
        """Count the deliveries that are due and in flight."""
        with self._database.reading() as session:
            return due_queries.count_due(session, now=self._now(), statements=self._statements)

    def count_active(self) -> int:
        """Count deliveries in flight, and those that another transaction is claiming right now.

        The latter exist on PostgreSQL only, as SQLite has one writer at a time.
        """
        with self._database.transaction() as session:
            return due_queries.count_active(session, now=self._now(), statements=self._statements)

    def _claim(self, session: Session, room: Room) -> list[Claimed]:
        """Claim due deliveries; those that a fault holds back make room for the next."""
        while claimed := self._claims.claim(session, room, self.new_lease()):
            if kept := self._with_faults(session, claimed):
                return kept
        return []

    def _with_faults(self, session: Session, claimed: list[Claimed]) -> list[Claimed]:
        """Return claimed deliveries with their faults, without those that a fault holds back."""
        if not _may_have_faults(claimed):
            return claimed
        return fault_assignment.assign(session, claimed, now=self._now())

    def _renew(self, session: Session, claimed: Collection[Claimed]) -> None:
        until = to_milliseconds(self._lease_clock.now()) + self._lease_ms
        session.execute(self._statements.renew, {"held": _held(claimed), "until": until})

    def _reap_of_others(self, session: Session, ours: Collection[Claimed]) -> list[Settlement]:
        """Reap, but renew our own leases first: they may have run out while the machine slept."""
        if ours:
            self._renew(session, ours)
        return self._reap(session)

    def _todo_before(self, room: Room) -> Todo | None:
        """Return what there is to do, before a writing transaction begins.

        None where a writing transaction costs no more than a reading one: it is asked there.
        """
        if room.total <= 0:
            return NOTHING
        return self.todo() if self._statements.waits_to_write else None

    def _read_clock(self, session: Session) -> None:
        """Read the database's clock again: another process may have made it manual."""
        if isinstance(self._clock, StoredClock):
            self._clock.look(session)

    def _now(self) -> int:
        return to_milliseconds(self._clock.now())

    def _is_held_back(self, session: Session, row: DeliveryRow) -> bool:
        """Say whether another delivery of its product must end first (``ordering = strict``)."""
        if not strict_among(session, [row.product_id]):
            return False
        firsts = firsts_of(session, [row.product_id], statements=self._statements)
        return row.id not in firsts.values()

    def _load(self, session: Session, delivery_ids: Sequence[str]) -> list[Claimed]:
        if not delivery_ids:
            return []
        rows = self._statements.load(session, delivery_ids)
        return with_webhooks(session, rows, statements=self._statements)

    def _settle(self, session: Session, settlements: Sequence[Settlement]) -> set[str]:
        if not settlements:
            return set()
        states = self._statements.settle(session, settlements)
        # An attempt that did not count is made again, with its fault.
        if faulty := [each for each in settlements if each.evidence.fault and each.counts]:
            fault_assignment.finish(session, faulty, states, now=self._now())
        return {each.delivery_id for each in settlements} - states.keys()

    def _wake(self, session: Session) -> int:
        # A busy worker reads the clock here only: a clock that was stopped meanwhile wakes nothing.
        self._read_clock(session)
        waited = {"now": self._now(), "limit": BATCH}
        return len(self._statements.fetch(session, self._statements.wake, waited))

    def _reap(self, session: Session) -> list[Settlement]:
        instants = self._instants()
        run_out = {"now": instants.leases_now, "limit": BATCH}
        rows = self._statements.fetch(session, self._statements.expired, run_out)
        ahead_ms = instants.leases_now - instants.now
        settlements = [self._vanished(ExpiredRow._make(row), ahead_ms=ahead_ms) for row in rows]
        self._settle(session, settlements)
        return settlements

    def _instants(self) -> Instants:
        """Return the instants of both clocks; if they are one clock, it is read once."""
        now = self._now()
        if not stands_still(self._clock):
            return Instants(now, now)
        return Instants(now, to_milliseconds(self._lease_clock.now()))

    def _claimed_at(self, row: ExpiredRow) -> int:
        """Return when a lease began, in milliseconds: to the second, if it was renewed meanwhile.

        A worker begins an attempt as soon as it has claimed it.
        """
        last_renewed_at = row.lease_until - self._lease_ms
        begun_at = second_of_id(row.lease_token) * 1000
        return begun_at if last_renewed_at - begun_at >= _SECOND_MS else last_renewed_at

    def _vanished(self, row: ExpiredRow, *, ahead_ms: int) -> Settlement:
        """Return the settlement of an attempt whose lease ran out."""
        lost = row.leases_lost + 1
        claimed_at = self._claimed_at(row)
        ends = lost >= LEASES_LOST_LIMIT
        return Settlement(
            delivery_id=row.id,
            event_id=row.event_id,
            token=row.lease_token,
            number=row.attempts_started,
            state=DeliveryState.EXHAUSTED if ends else DeliveryState.SUSPECT,
            due_at=row.due_at,
            counts=False,
            leases_lost=lost,
            evidence=Evidence(
                outcome=Outcome.UNKNOWN,
                started_at=claimed_at - ahead_ms,
                duration_us=(row.lease_until - claimed_at) * 1000,
                url=row.url or "",
                error="The worker of this attempt vanished: its lease ran out.",
                assumptions=recorded_assumptions(row.deviations),
            ),
        )


def _may_have_faults(claimed: Iterable[Claimed]) -> bool:
    return any(each.webhook.has_faults for each in claimed)


def _held(claimed: Iterable[Claimed]) -> str:
    return json.dumps([{"id": each.delivery_id, "token": each.token} for each in claimed])
