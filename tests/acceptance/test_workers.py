"""Workers as processes: killed, stopped, interrupted; what they had in flight is never lost."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from leanbe_emitter import Attempt, Leanbe, TriggerRequest
from leanbe_emitter.clock import SystemClock, to_milliseconds
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from tests.support.command_line import (
    handles_signal,
    next_line_with,
    run_process,
    start_program,
    wait_for_end,
)
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import PATIENCE_SECONDS, wait_until

SECRET = "whsec_test"
#: Long enough for a worker that lives to renew it, short enough to be waited for.
LEASE_SECONDS = 3
ENVIRON = {"LEANBE_EMITTER_LEASE_SECONDS": f"{LEASE_SECONDS}s"}


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    with LoopbackReceiver.listening() as receiver:
        yield receiver


@pytest.fixture
def leanbe(database_url: str, receiver: LoopbackReceiver) -> Iterator[Leanbe]:
    """A database with a product, whose events go to the receiver."""
    with Leanbe(database_url) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url, secret=SECRET)
        yield leanbe


def worker_of(db: str, folder: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start a worker with a short lease."""
    return start_program("worker", "--db", db, cwd=folder, environ=ENVIRON)


@contextmanager
def held_up(db: str, folder: Path, receiver: LoopbackReceiver) -> Iterator[subprocess.Popen[str]]:
    """Start a worker with something to do, and yield it while its receiver does not answer."""
    receiver.is_open.clear()
    with worker_of(db, folder) as worker:
        assert receiver.busy.wait(PATIENCE_SECONDS)
        yield worker


def enqueue(leanbe: Leanbe) -> str:
    """Trigger an event without an attempt; return its delivery's id."""
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
    assert triggered.delivery is not None
    return triggered.delivery.id


def outcomes(attempts: Sequence[Attempt]) -> list[Outcome]:
    return [each.outcome for each in attempts]


def test_a_killed_worker_loses_nothing(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    """Its lease runs out, another worker delivers again, and the lost attempt is on record."""
    delivery = enqueue(leanbe)
    with held_up(database_url, tmp_path, receiver) as first:
        os.kill(first.pid, signal.SIGKILL)
        assert wait_for_end(first)[0] == -signal.SIGKILL
    assert leanbe.deliveries.get(delivery).attempts == ()
    receiver.is_open.set()
    with worker_of(database_url, tmp_path) as second:
        wait_until(lambda: leanbe.deliveries.get(delivery).delivered, "it is delivered again")
        second.terminate()
        assert wait_for_end(second)[0] == 0
    lost, made = leanbe.deliveries.get(delivery).attempts
    assert (lost.number, lost.outcome) == (1, Outcome.UNKNOWN)
    assert "vanished" in (lost.error or "")
    assert (made.number, made.outcome) == (2, Outcome.DELIVERED)
    assert (lost.url, lost.request_headers) == (made.url, made.request_headers)
    one, other = receiver.bodies
    assert one == other
    assert receiver.requests[0].verified(SECRET).event == "idea.created"


def test_a_long_send_of_a_worker_that_lives_is_not_made_twice(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    """Two workers, and an answer that takes longer than a lease: whose it is, renews it."""
    delivery = enqueue(leanbe)
    receiver.is_open.clear()
    with worker_of(database_url, tmp_path) as first, worker_of(database_url, tmp_path) as second:
        assert receiver.busy.wait(PATIENCE_SECONDS)
        assert first.poll() is second.poll() is None
        over = to_milliseconds(SystemClock().now()) + LEASE_SECONDS * 1000
        wait_until(lambda: to_milliseconds(SystemClock().now()) > over, "the first lease is over")
        receiver.is_open.set()
        wait_until(lambda: leanbe.deliveries.get(delivery).delivered, "it is delivered")
    assert outcomes(leanbe.deliveries.get(delivery).attempts) == [Outcome.DELIVERED]
    assert len(receiver.requests) == 1


def test_a_worker_that_is_told_to_stop_finishes_what_is_in_flight(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    delivery = enqueue(leanbe)
    with held_up(database_url, tmp_path, receiver) as worker:
        worker.terminate()
        told = next_line_with("Stopping", worker.stderr)
        receiver.is_open.set()
        status, _, stderr = wait_for_end(worker)
    assert status == 0, stderr
    assert told.endswith(" attempts=1")
    assert outcomes(leanbe.deliveries.get(delivery).attempts) == [Outcome.DELIVERED]
    assert len(receiver.requests) == 1


def test_a_second_signal_ends_a_worker_whose_database_does_not_answer(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    enqueue(leanbe)
    patient = f"{database_url}?timeout=600" if "sqlite" in database_url else database_url
    with held_up(patient, tmp_path, receiver) as worker, leanbe._database.transaction() as session:
        session.execute(text("UPDATE deliveries SET due_at = due_at"))
        receiver.is_open.set()
        worker.send_signal(signal.SIGINT)
        wait_until(lambda: not handles_signal(worker, signal.SIGTERM), "the first signal has come")
        worker.send_signal(signal.SIGINT)
        assert wait_for_end(worker)[0] == -signal.SIGINT


def test_a_terminal_that_is_closed_stops_a_worker_once_however_often_it_says_so(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    delivery = enqueue(leanbe)
    with held_up(database_url, tmp_path, receiver) as worker:
        worker.send_signal(signal.SIGHUP)
        wait_until(lambda: not handles_signal(worker, signal.SIGTERM), "the first signal has come")
        worker.send_signal(signal.SIGHUP)
        receiver.is_open.set()
        assert wait_for_end(worker)[0] == 0
    assert outcomes(leanbe.deliveries.get(delivery).attempts) == [Outcome.DELIVERED]


def test_an_interrupted_trigger_hands_back_what_it_did_not_begin(
    leanbe: Leanbe, database_url: str, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    receiver.is_open.clear()
    events = ("idea.created", "idea.updated", "idea.deleted")
    with start_program(
        "trigger", *events, "--db", database_url, cwd=tmp_path, environ=ENVIRON
    ) as trigger:
        assert receiver.busy.wait(PATIENCE_SECONDS)
        trigger.send_signal(signal.SIGINT)
        status, _, stderr = wait_for_end(trigger)
    assert status == 130, stderr
    assert "Traceback" not in stderr
    begun, *rest = reversed(leanbe.deliveries.list())
    assert (begun.status, outcomes(begun.attempts)) == (DeliveryStatus.PENDING, [Outcome.UNKNOWN])
    assert [(each.status, each.attempts) for each in rest] == [(DeliveryStatus.PENDING, ())] * 2
    assert leanbe.due().in_flight == 0
    receiver.is_open.set()
    ran = run_process("worker", "--drain", "--db", database_url, cwd=tmp_path)
    assert ran.status == 0, ran.stderr
    assert all(each.delivered for each in leanbe.deliveries.list())
    events_received = [each.verified(SECRET).event for each in receiver.requests]
    assert sorted(events_received) == sorted([events[0], *events])
