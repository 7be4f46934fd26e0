"""The queue: a delivery is claimable iff it is due and nobody holds it.

Every transition names the lease token that the delivery was claimed with, so that a late worker
changes nothing. ``new``, ``ready`` and ``suspect`` *are* due: a claim compares no clock. ``wake``
makes ready what waited long enough, and ``reap`` settles, for its dead owner, what a lease ran out
on; so the claim itself is an index scan, however many rows are finished.

The states ``new`` (never tried), ``ready`` (due again) and ``suspect`` (its lease ran out) are
found by partial indexes that hold only what is owed. ``delivered``, ``exhausted`` and ``cancelled``
are the ends; users see every other state as ``pending``.

A kill loses nothing: ``reap`` settles the vanished attempt as ``unknown`` for the dead owner, and
the delivery is due again. A vanished attempt does not count as one, but three in a row exhaust the
delivery. A suspect is claimed alone, so its neighbours do not vanish with it. Every new worker
begins with another suspect.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.claims import Claimed, Evidence, Settlement
from leanbe_emitter.delivery.queue import due, faults
from leanbe_emitter.delivery.queue.due import NOTHING, Due, Instants, Todo
from leanbe_emitter.delivery.queue.fairness import FairClaims, Room
from leanbe_emitter.delivery.queue.postgresql import Postgresql
from leanbe_emitter.delivery.queue.rows import with_webhooks
from leanbe_emitter.delivery.queue.sqlite import Sqlite
from leanbe_emitter.delivery.queue.statements import LEASE_ONE, ExpiredRow, Statements
from leanbe_emitter.delivery.queue.strict_ordering import firsts_of, strict_among
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.notify import tell_workers
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.clock import StoredClock, stands_still
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow

#: So many leases lost in a row exhaust a delivery: what it does to its workers is no accident.
LEASES_LOST_LIMIT = 3
#: How many rows one statement wakes or reaps at the most.
BATCH = 500

_STATEMENTS: Mapping[str, type[Statements]] = {"sqlite": Sqlite, "postgresql": Postgresql}


@dataclass(frozen=True, kw_only=True)
class PollResult:
    """What one visit to the database came to.

    Attributes:
        lost: the ids of what was to be settled, and was ours no more: nothing was changed for them.
        vanished: what was settled for others whose leases had run out.
        claimed: what is ours now.
    """

    lost: Collection[str] = ()
    vanished: Sequence[Settlement] = ()
    claimed: Sequence[Claimed] = ()


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """What was to be done before a claim.

    Attributes:
        woken: how many had waited long enough, and are ready now.
        vanished: what was settled for others whose leases had run out.
        due: what is owed then.
    """

    woken: int
    vanished: Sequence[Settlement]
    due: Due


class Queue:
    """The deliveries of one database, as one worker sees them.

    Args:
        clock: tells what is due.
        lease_clock: tells when leases run out, if that is another: while a clock that many
            processes share stands still, leases of those that were killed run out all the same.
        lease_seconds: how long what is claimed is ours, unless it is renewed.
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

    def claim(self, room: Room) -> list[Claimed]:
        """Take what is due, up to the room: see ``FairClaims.claim``."""
        with self._database.transaction() as session:
            return self._claim(session, room)

    def poll(
        self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
    ) -> PollResult:
        """Settle what ended, wake and reap what is time, and claim, all in one transaction.

        Where nothing has ended, and nothing is to be done, nothing is written.

        Args:
            ended: what is settled first.
            room: what may be claimed.
            ours: what is in flight here: it is never reaped here, whatever the clock says.
        """
        todo = None if ended else self._todo_before(room)
        if todo is not None and not todo:
            return PollResult()
        with self._database.transaction() as session:
            lost = self._settle(session, ended)
            todo = todo or due.todo(session, self._instants(), statements=self._statements)
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

    def claim_one(self, delivery_id: str) -> Claimed | None:
        """Take this one delivery, if it is due, nobody holds it, and no fault holds it back."""
        lease = self.new_lease()
        with self._database.transaction() as session:
            row = session.get(DeliveryRow, delivery_id)
            if row is None or self._is_held_back(session, row):
                return None
            if row.state is DeliveryState.WAITING:
                self._look(session)
            key = {"id": row.id, "now": self._now(), "token": lease.token, "until": lease.until}
            if session.execute(LEASE_ONE, key).first() is None:
                return None
            claimed = self._under_faults(session, self._load(session, [delivery_id]))
            return claimed[0] if claimed else None

    def load(self, delivery_ids: Sequence[str], *, token: str) -> list[Claimed]:
        """Return what was leased when it was recorded (``outbox.record``), and is ours still.

        What another one of a strict product holds back is handed back: a worker makes its attempt.
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
            return self._under_faults(session, begun)

    def new_lease(self) -> Lease:
        """Return a new lease."""
        now = self._lease_clock.now()
        return Lease(
            token=self._ids.object_id(now, of=IdOf.LEASE),
            until=to_milliseconds(now) + self._lease_ms,
        )

    def renew(self, claimed: Collection[Claimed]) -> None:
        """Hold what was claimed for another while; what is ours no more stays as it is."""
        if not claimed:
            return
        with self._database.transaction() as session:
            self._renew(session, claimed)

    def gone(self, claimed: Collection[Claimed]) -> set[str]:
        """Return the ids of what was claimed and is not there any more."""
        wanted = {each.delivery_id for each in claimed}
        if not wanted:
            return wanted
        there = select(DeliveryRow.id).where(DeliveryRow.id.in_(wanted))
        with self._database.reading() as session:
            return wanted.difference(session.scalars(there))

    def release(self, claimed: Collection[Claimed]) -> None:
        """Give back what was claimed and not attempted, as if it had never been claimed.

        What has no URL any more is owed no more: it is cancelled (contract c.1).
        """
        if not claimed:
            return
        with self._database.transaction() as session:
            rows = session.execute(self._statements.release, {"held": _held(claimed)}).all()
            ended = {row.id for row in rows if row.state == DeliveryState.CANCELLED}
            if len(ended) < len(rows):
                tell_workers(session)
            journal.cancelled(
                session,
                [
                    (each.event_id, each.delivery_id)
                    for each in claimed
                    if each.delivery_id in ended
                ],
            )

    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        """Write what became of deliveries, with the evidence of their attempts.

        Who settles here claims nothing: workers are told, as a retry may be due soon, and what
        strict ordering held back now.

        Returns:
            The ids of those that were ours no more: nothing was changed for them.
        """
        with self._database.transaction() as session:
            lost = self._settle(session, settlements)
            if len(lost) < len(settlements):
                tell_workers(session)
            return lost

    def wake(self) -> int:
        """Make ready what has waited until now, up to ``BATCH``; return how many there were."""
        with self._database.transaction() as session:
            return self._wake(session)

    def reap(self) -> list[Settlement]:
        """Settle what a lease ran out on, up to ``BATCH``: its attempt vanished, it is due again.

        Contract c.5: the attempt is on record as unknown, and does not count against the schedule;
        who lost its lease ``LEASES_LOST_LIMIT`` times in a row is exhausted.
        """
        with self._database.transaction() as session:
            return self._reap(session)

    def catch_up(self) -> CatchUp:
        """Wake and reap what is time, and say what is due then, all in one transaction.

        Each up to ``BATCH``: there may be more of what there was some of.
        """
        with self._database.transaction() as session:
            woken, vanished = self._wake(session), self._reap(session)
            owed = due.count_due(session, now=self._now(), statements=self._statements)
        return CatchUp(woken=woken, vanished=vanished, due=owed)

    def todo(self) -> Todo:
        """Say whether there is anything to claim, to wake or to reap."""
        with self._database.reading() as session:
            return due.todo(session, self._instants(), statements=self._statements)

    def seconds_until_due(self, seconds: float) -> float:
        """Say in how many seconds something falls due by itself; so many, if nothing does before.

        That is a retry whose time comes, or a lease that runs out.
        """
        with self._database.reading() as session:
            self._look(session)
            still = stands_still(self._clock)
            return due.seconds_until_due(session, seconds, self._instants(), stands_still=still)

    def due(self) -> Due:
        """Say what is owed right now."""
        with self._database.reading() as session:
            return due.count_due(session, now=self._now(), statements=self._statements)

    def count_active(self) -> int:
        """Say how many deliveries are in flight, or are being claimed at this very moment.

        The latter are seen on PostgreSQL alone: a file of SQLite has one who writes at a time.
        """
        with self._database.transaction() as session:
            return due.count_active(session, now=self._now(), statements=self._statements)

    def _claim(self, session: Session, room: Room) -> list[Claimed]:
        """Take what is due; what a fault holds back makes room for the next."""
        while claimed := self._claims.claim(session, room, self.new_lease()):
            if kept := self._under_faults(session, claimed):
                return kept
        return []

    def _under_faults(self, session: Session, claimed: list[Claimed]) -> list[Claimed]:
        """Return what was claimed with its faults, less what they hold back."""
        if not _may_have_faults(claimed):
            return claimed
        return faults.take(session, claimed, now=self._now())

    def _renew(self, session: Session, claimed: Collection[Claimed]) -> None:
        until = to_milliseconds(self._lease_clock.now()) + self._lease_ms
        session.execute(self._statements.renew, {"held": _held(claimed), "until": until})

    def _reap_of_others(self, session: Session, ours: Collection[Claimed]) -> list[Settlement]:
        """Reap, though not what is in flight here: a machine that slept was nobody's loss."""
        if ours:
            self._renew(session, ours)
        return self._reap(session)

    def _todo_before(self, room: Room) -> Todo | None:
        """Say what there is to do before a transaction that writes begins.

        None: it is asked there, as to begin one costs no more than to begin one that reads.
        """
        if room.total <= 0:
            return NOTHING
        return self.todo() if self._statements.waits_to_write else None

    def _look(self, session: Session) -> None:
        """See whether the clock is a database's that somebody has made manual meanwhile."""
        if isinstance(self._clock, StoredClock):
            self._clock.look(session)

    def _now(self) -> int:
        return to_milliseconds(self._clock.now())

    def _is_held_back(self, session: Session, row: DeliveryRow) -> bool:
        """Say whether another delivery of its product has to end first (``ordering = strict``)."""
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
        if faulty := [each for each in settlements if each.evidence.fault]:
            faults.settled(session, faulty, states, now=self._now())
        return {each.delivery_id for each in settlements} - states.keys()

    def _wake(self, session: Session) -> int:
        # Who is never at rest looks here: nothing is woken by a clock that has stopped meanwhile.
        self._look(session)
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
        """Return what time it is by both clocks; where they are one, it is asked once."""
        now = self._now()
        if not stands_still(self._clock):
            return Instants(now, now)
        return Instants(now, to_milliseconds(self._lease_clock.now()))

    def _vanished(self, row: ExpiredRow, *, ahead_ms: int) -> Settlement:
        """Return how an attempt is settled whose lease ran out.

        Args:
            row: its delivery.
            ahead_ms: by how much the clock of leases is ahead of that of evidence.
        """
        lost = row.leases_lost + 1
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
                started_at=row.lease_until - self._lease_ms - ahead_ms,
                duration_us=self._lease_ms * 1000,
                url=row.url or "",
                error="Whoever claimed this attempt vanished: its lease ran out.",
            ),
        )


def _may_have_faults(claimed: Iterable[Claimed]) -> bool:
    return any(each.webhook.has_faults for each in claimed)


def _held(claimed: Iterable[Claimed]) -> str:
    return json.dumps([{"id": each.delivery_id, "token": each.token} for each in claimed])
