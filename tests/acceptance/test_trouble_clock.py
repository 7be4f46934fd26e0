"""Clocks that jump under a worker: corrected backwards, or gone on while the machine slept.

The worker is a process of its own, whose clock the test sets. What makes it wait (timeouts,
renewals) goes by the clock that only goes forward, as on a machine that wakes up.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter import Delivery, Leanbe, Outcome, TriggerRequest
from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.storage.engine.database import Database
from tests.support.clocked_worker import ShiftedClock
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

HOUR_MS = 3_600_000
#: More retries than fit into an hour, each a minute after the one before.
ASSUMED = {"backoff": "1m", "max_attempts": "100"}


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    with LoopbackReceiver.listening() as receiver:
        yield receiver


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    return ShiftedClock(tmp_path / "shift")


@pytest.fixture
def leanbe(database: Database, clock: ShiftedClock, receiver: LoopbackReceiver) -> Iterator[Leanbe]:
    """A handle that lives by the same clock as the worker."""
    with Leanbe(database.url.render_as_string(hide_password=False), clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url, assume=ASSUMED)
        yield leanbe


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet.on(database, tmp_path) as fleet:
        yield fleet


def start_worker(fleet: Fleet) -> str:
    return fleet.start_module("tests.support.clocked_worker", str(fleet.home / "shift"))


def enqueue(leanbe: Leanbe, count: int = 1) -> list[str]:
    """Record events for a worker; return the ids of their deliveries."""
    triggered = leanbe.trigger_all(TriggerRequest(events=["idea.created"] * count), deliver=False)
    return [each.delivery.id for each in triggered if each.delivery is not None]


def outcomes(delivery: Delivery) -> list[Outcome]:
    return [each.outcome for each in delivery.attempts]


def test_a_clock_that_jumps_back_an_hour_takes_no_lease_and_stops_no_event(
    fleet: Fleet, leanbe: Leanbe, clock: ShiftedClock, receiver: LoopbackReceiver
) -> None:
    receiver.is_open.clear()
    (begun,) = enqueue(leanbe)
    worker = start_worker(fleet)
    assert receiver.busy.wait(PATIENCE_SECONDS)
    earlier = to_milliseconds(clock.now()) - HOUR_MS // 2
    clock.shift(hours=-1)
    wait_until(
        lambda: fleet.count("deliveries", f"lease_until < {earlier}"), "it is held by that clock"
    )
    receiver.is_open.set()
    wait_until(lambda: leanbe.deliveries.get(begun).delivered, "it is delivered")
    (later,) = enqueue(leanbe)
    wait_until(lambda: leanbe.deliveries.get(later).delivered, "what came after is delivered, too")
    assert fleet.end(worker) == 0
    assert fleet.stderr_of(worker) == ""
    assert outcomes(leanbe.deliveries.get(begun)) == [Outcome.DELIVERED]
    assert len(receiver.requests) == 2
    first, second = leanbe.deliveries.get(begun).event, leanbe.deliveries.get(later).event
    assert second.triggered_at > first.triggered_at


def test_a_retry_that_a_clock_jumped_back_from_is_made_when_its_time_has_come(
    fleet: Fleet, leanbe: Leanbe, clock: ShiftedClock, receiver: LoopbackReceiver
) -> None:
    """Late by as much as the clock went back, and not lost."""
    receiver.statuses.append(500)
    (delivery,) = enqueue(leanbe)
    worker = start_worker(fleet)
    wait_until(lambda: leanbe.deliveries.get(delivery).attempts, "it is refused")
    due_at = leanbe.deliveries.get(delivery).next_due_at
    clock.shift(hours=-1)
    (other,) = enqueue(leanbe)
    wait_until(lambda: leanbe.deliveries.get(other).delivered, "what is due is delivered meanwhile")
    assert leanbe.deliveries.get(delivery).next_due_at == due_at
    clock.shift(hours=1)
    wait_until(lambda: leanbe.deliveries.get(delivery).delivered, "its time has come")
    assert fleet.end(worker) == 0
    assert outcomes(leanbe.deliveries.get(delivery)) == [Outcome.REFUSED, Outcome.DELIVERED]


def test_a_machine_that_slept_through_many_retries_makes_one_and_goes_on_from_there(
    fleet: Fleet, leanbe: Leanbe, clock: ShiftedClock, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.extend([500] * 4)
    deliveries = enqueue(leanbe, 2)
    worker = start_worker(fleet)
    wait_until(lambda: fleet.count("deliveries", "state = 'waiting'") == 2, "both are refused")
    clock.shift(hours=1)
    woken_at = clock.now()
    wait_until(lambda: fleet.count("attempts") >= 4, "both are tried once more")
    wait_until(
        lambda: fleet.count("deliveries", "state = 'waiting'") == 2, "both are refused again"
    )
    assert fleet.end(worker) == 0
    for each in map(leanbe.deliveries.get, deliveries):
        assert outcomes(each) == [Outcome.REFUSED, Outcome.REFUSED]
        assert each.next_due_at is not None
        assert (each.next_due_at - woken_at).total_seconds() > 50
    assert len(receiver.requests) == 4


def test_an_attempt_in_flight_while_the_machine_slept_is_not_taken_from_its_worker(
    fleet: Fleet, leanbe: Leanbe, clock: ShiftedClock, receiver: LoopbackReceiver
) -> None:
    """By the clock on the wall its lease ran out long ago; nobody else was there to take it."""
    receiver.is_open.clear()
    (begun,) = enqueue(leanbe)
    worker = start_worker(fleet)
    assert receiver.busy.wait(PATIENCE_SECONDS)
    clock.shift(hours=1)
    wait_until(
        lambda: fleet.count("deliveries", f"lease_until > {to_milliseconds(clock.now())}"),
        "it is held on",
    )
    receiver.is_open.set()
    wait_until(lambda: leanbe.deliveries.get(begun).delivered, "it is delivered")
    assert fleet.end(worker) == 0
    assert outcomes(leanbe.deliveries.get(begun)) == [Outcome.DELIVERED]
    assert len(receiver.requests) == 1
