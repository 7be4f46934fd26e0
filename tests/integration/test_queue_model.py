"""The queue against a tiny model: whatever is done to it in whatever order, both agree."""

from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from leanbe_emitter.clock import ManualClock
from leanbe_emitter.delivery.queue.queue import LEASES_LOST_LIMIT
from leanbe_emitter.delivery.queue_types import Claimed
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow
from tests.support.engine_setup import LEASE_SECONDS, START_AT, Bench, claim, settlement_of
from tests.support.example_counts import example_count

DUE = {DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT}
LEASE_MS = int(LEASE_SECONDS * 1000)
#: Each step there takes four times as long.
EXAMPLES = {"sqlite": 40, "postgresql": 20}


@dataclass
class Model:
    """The expected state of a delivery, after every step on it."""

    state: DeliveryState = DeliveryState.NEW
    due_at: int = 0
    token: str | None = None
    until: int = 0
    started: int = 0
    counted: int = 0
    lost: int = 0
    attempts: list[Outcome] = field(default_factory=list)

    def let_go(self, state: DeliveryState) -> None:
        self.state, self.token, self.until = state, None, 0

    def row(self) -> tuple[object, ...]:
        return (
            self.state,
            self.token,
            self.until,
            self.started,
            self.counted,
            self.lost,
            self.attempts,
        )


class QueueMachine(RuleBasedStateMachine):
    """Workers that claim, settle, hand back, renew, sleep and die."""

    #: What somebody claimed once, and may still believe to hold.
    claims: Bundle[Claimed] = Bundle("claims")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.bench = Bench(database=database, clock=ManualClock(START_AT))
        self.queue = self.bench.queue()
        self.model: dict[str, Model] = {}

    @initialize()
    def begin(self) -> None:
        with self.bench.database.transaction() as session:
            for table in ("products", "users", "journal"):
                session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - words of this line
        self.products = [self.bench.product("One"), self.bench.product("Other")]

    @rule(which=st.integers(0, 1), count=st.integers(1, 3))
    def enqueue(self, which: int, count: int) -> None:
        for each in self.bench.enqueue(self.products[which], count):
            self.model[each] = Model(due_at=self.bench.now)

    @rule(target=claims, room=st.integers(1, 4), with_suspect=st.booleans())
    def claim(self, room: int, *, with_suspect: bool) -> MultipleResults[Claimed]:
        wanted = DUE if with_suspect else DUE - {DeliveryState.SUSPECT}
        claimed = claim(self.queue, room, among=wanted)
        due = {each for each, model in self.model.items() if model.state in wanted}
        states = [self.model[each.delivery_id].state for each in claimed]
        assert {each.delivery_id for each in claimed} <= due
        assert bool(claimed) is bool(due)
        assert len(claimed) <= room
        if with_suspect and any(self.model[each].state == "suspect" for each in due):
            assert states == [DeliveryState.SUSPECT]
        for each in claimed:
            model = self.model[each.delivery_id]
            model.state, model.token = DeliveryState.IN_FLIGHT, each.token
            model.until = self.bench.now + LEASE_MS
            model.started += 1
            assert (each.number, each.attempts_counted) == (model.started, model.counted)
        return multiple(*claimed)

    @rule(claimed=claims, outcome=st.sampled_from(Outcome), wait=st.integers(0, 40))
    def settle(self, claimed: Claimed, outcome: Outcome, wait: int) -> None:
        due_at = self.bench.now + wait * 1000
        lost = self.queue.settle([settlement_of(claimed, outcome, due_at=due_at)])
        model = self._held(claimed)
        assert bool(lost) is (model is None)
        if model is not None:
            is_delivered = outcome is Outcome.DELIVERED
            model.let_go(DeliveryState.DELIVERED if is_delivered else DeliveryState.WAITING)
            model.due_at, model.lost = due_at, 0
            model.counted += 1
            model.attempts.append(outcome)

    @rule(claimed=consumes(claims))
    def release(self, claimed: Claimed) -> None:
        self.queue.release([claimed])
        if model := self._held(claimed):
            model.started -= 1
            tried = DeliveryState.READY if model.started else DeliveryState.NEW
            model.let_go(DeliveryState.SUSPECT if model.lost else tried)

    @rule(claimed=claims)
    def renew(self, claimed: Claimed) -> None:
        self.queue.renew([claimed])
        if model := self._held(claimed):
            model.until = self.bench.now + LEASE_MS

    @rule(claimed=consumes(claims))
    def crash(self, claimed: Claimed) -> None:
        """The holder of the lease is gone, and does nothing about it."""

    @rule(seconds=st.integers(1, 45))
    def sleep(self, seconds: int) -> None:
        self.bench.clock.advance(seconds=seconds)

    @precondition(lambda self: self.model)
    @rule()
    def wake(self) -> None:
        ripe = [each for each in self._all(DeliveryState.WAITING) if each.due_at <= self.bench.now]
        assert self.queue.wake() == len(ripe)
        for each in ripe:
            each.state = DeliveryState.READY

    @precondition(lambda self: self.model)
    @rule()
    def reap(self) -> None:
        in_flight = self._all(DeliveryState.IN_FLIGHT)
        expired = [each for each in in_flight if each.until <= self.bench.now]
        assert len(self.queue.reap()) == len(expired)
        for each in expired:
            each.lost += 1
            is_over = each.lost == LEASES_LOST_LIMIT
            each.let_go(DeliveryState.EXHAUSTED if is_over else DeliveryState.SUSPECT)
            each.attempts.append(Outcome.UNKNOWN)

    @invariant()
    def both_agree(self) -> None:
        with self.bench.database.reading() as session:
            rows = session.scalars(select(DeliveryRow)).all()
            attempts = session.scalars(select(AttemptRow).order_by(AttemptRow.number)).all()
        assert {each.id for each in rows} == self.model.keys()
        for row in rows:
            own = [each for each in attempts if each.delivery_id == row.id]
            assert (
                row.state,
                row.lease_token,
                row.lease_until or 0,
                row.attempts_started,
                row.attempts_counted,
                row.leases_lost,
                [each.outcome for each in own],
            ) == self.model[row.id].row()

    def _held(self, claimed: Claimed) -> Model | None:
        """Return the delivery's model if it is held by this claim."""
        model = self.model[claimed.delivery_id]
        return model if model.token == claimed.token else None

    def _all(self, state: DeliveryState) -> list[Model]:
        return [each for each in self.model.values() if each.state is state]


@pytest.mark.hypothesis
def test_the_queue_does_what_its_model_says(database: Database) -> None:
    class Here(QueueMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        Here,
        settings=hypothesis.settings(
            max_examples=example_count(EXAMPLES[database.dialect]),
            stateful_step_count=30,
            deadline=None,
        ),
    )
