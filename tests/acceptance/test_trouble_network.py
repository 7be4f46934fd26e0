"""A network that is gone, and a process that can open nothing more: attempts wait, none is lost."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.storage.engine.database import Database
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
EVENTS = 3
#: Often enough to be there at once when the trouble is over, and for longer than it lasts.
ASSUMED = {"backoff": "100ms", "max_attempts": "100"}


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet.on(database, tmp_path) as fleet:
        yield fleet


def enqueue(fleet: Fleet, url: str, count: int = EVENTS) -> None:
    """Record events for a worker; the product's receiver is there by now."""
    with Leanbe(fleet.database.url.render_as_string(hide_password=False)) as leanbe:
        if not leanbe.products.list():
            leanbe.products.create("Acme", assume=ASSUMED)
        leanbe.webhooks.set("Acme", url, secret=SECRET)
        leanbe.trigger_all(TriggerRequest(events=["idea.created"] * count), deliver=False)


def test_a_receiver_that_was_gone_gets_everything_when_it_is_back(fleet: Fleet) -> None:
    port = free_port()
    enqueue(fleet, f"http://127.0.0.1:{port}/hooks/leanbe")
    worker = fleet.start_worker()
    wait_until(lambda: fleet.count("attempts") > 2 * EVENTS, "each was tried several times")
    with LoopbackReceiver.listening(port) as receiver:
        wait_until(fleet.is_settled, "all is delivered")
        assert fleet.end(worker) == 0
        assert len(receiver.requests) == EVENTS
    assert fleet.count("deliveries", "state = 'delivered'") == EVENTS
    assert fleet.count("attempts", "outcome = 'delivered'") == EVENTS
    assert fleet.count("attempts", "outcome <> 'delivered'") == fleet.count(
        "attempts", "outcome = 'unreachable' AND error LIKE 'connection refused by %'"
    )


@contextmanager
def no_more_descriptors(process: int) -> Iterator[None]:
    """Let a process open nothing more until the block ends."""
    usual = resource.prlimit(process, resource.RLIMIT_NOFILE)
    # What it has open stays; a new one would have to be 0, 1 or 2.
    resource.prlimit(process, resource.RLIMIT_NOFILE, (3, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_NOFILE, usual)


def test_a_worker_without_file_descriptors_goes_on_when_there_are_some(fleet: Fleet) -> None:
    with LoopbackReceiver.listening() as earlier, LoopbackReceiver.listening() as receiver:
        enqueue(fleet, earlier.url, 1)
        worker = fleet.start_worker()
        wait_until(fleet.is_settled, "it works")
        with no_more_descriptors(fleet.running[worker].pid):
            enqueue(fleet, receiver.url)
            wait_until(
                lambda: "can open no connection" in fleet.stderr_of(worker), "the worker says why"
            )
            assert receiver.requests == []
        wait_until(fleet.is_settled, "all is delivered")
        assert fleet.end(worker) == 0
        assert len(fleet.complaints()) == 1
        assert len(receiver.requests) == EVENTS
    assert fleet.count("deliveries", "state = 'delivered'") == 1 + EVENTS
    assert fleet.count("attempts") == 1 + EVENTS
