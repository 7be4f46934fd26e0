"""A file of SQLite in trouble under a worker: it backs off, comes back, and loses nothing."""

import resource
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from leanbe_emitter import DatabaseUnavailable, Leanbe, TriggerRequest
from leanbe_emitter.storage.engine.database import Database
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.small_disks import full_disk, small_disk
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
#: How long a worker waits for another writer here, in seconds.
PATIENT = "timeout=0.2"


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    """A receiver that does not answer until it is told to."""
    with LoopbackReceiver.listening() as receiver:
        receiver.is_open.clear()
        yield receiver


@contextmanager
def worker_in_first_attempt(
    file: Path, receiver: LoopbackReceiver, home: Path
) -> Iterator[tuple[Fleet, str]]:
    """Have a worker on a file, in the middle of its first attempt; yield it and its name."""
    url = f"sqlite:///{file}?{PATIENT}"
    with Leanbe(url) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url, secret=SECRET)
        enqueue(leanbe)
    database = Database(url)
    with Fleet.on(database, home) as fleet:
        worker = fleet.start_worker()
        assert receiver.busy.wait(PATIENCE_SECONDS)
        yield fleet, worker
    database.close()


def enqueue(leanbe: Leanbe) -> None:
    leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)


def has_come_back(fleet: Fleet, worker: str, receiver: LoopbackReceiver, *, events: int) -> None:
    """See that every event was received once, and that its attempt is on record."""
    wait_until(
        lambda: fleet.count("deliveries", "state = 'delivered'") == events, "all is delivered"
    )
    assert fleet.end(worker) == 0
    assert fleet.complaints() == []
    assert SECRET not in fleet.stderr_of(worker)
    assert len(set(receiver.bodies)) == len(receiver.requests) == events
    assert fleet.count("attempts", "outcome = 'delivered'") == fleet.count("attempts") == events


def test_a_file_that_another_process_locks_for_long_is_waited_for(
    receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    file = tmp_path / "test.db"
    with worker_in_first_attempt(file, receiver, tmp_path) as (fleet, worker):
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            receiver.is_open.set()
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
            with Leanbe(f"sqlite:///{file}?{PATIENT}") as leanbe:
                with pytest.raises(DatabaseUnavailable, match="locked"):
                    enqueue(leanbe)
                other.execute("ROLLBACK")
                enqueue(leanbe)
        has_come_back(fleet, worker, receiver, events=2)


def test_a_disk_that_is_full_is_waited_for(receiver: LoopbackReceiver, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    file = disk / "test.db"
    with (
        small_disk(disk, megabytes=8),
        worker_in_first_attempt(file, receiver, tmp_path) as (fleet, worker),
    ):
        with full_disk(disk):
            receiver.is_open.set()
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
            with Leanbe(f"sqlite:///{file}") as leanbe:
                with pytest.raises(DatabaseUnavailable, match="disk is full"):
                    enqueue(leanbe)
                assert len(leanbe.deliveries.list()) == 1
        has_come_back(fleet, worker, receiver, events=1)


@contextmanager
def no_longer_file(process: int, file: Path) -> Iterator[None]:
    """Let a process make no file longer than this one is, until the block ends."""
    usual = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (file.stat().st_size, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, usual)


def test_a_file_that_may_not_grow_is_waited_for(receiver: LoopbackReceiver, tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    with worker_in_first_attempt(file, receiver, tmp_path) as (fleet, worker):
        with no_longer_file(fleet.running[worker].pid, Path(f"{file}-wal")):
            receiver.is_open.set()
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
        has_come_back(fleet, worker, receiver, events=1)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write to a folder and its files until the block ends."""
    folder.chmod(0o555)
    for each in folder.iterdir():
        each.chmod(0o444)
    try:
        yield
    finally:
        folder.chmod(0o777)
        for each in folder.iterdir():
            each.chmod(0o666)


def test_a_folder_that_is_read_only_is_waited_for(
    receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    receiver.is_open.set()
    with tempfile.TemporaryDirectory() as home:
        url = f"sqlite:///{home}/test.db?{PATIENT}"
        database = Database(url)
        with Leanbe(url) as leanbe, Fleet.on(database, tmp_path) as fleet:
            leanbe.products.create("Acme", webhook_url=receiver.url, secret=SECRET)
            enqueue(leanbe)
            with read_only(Path(home)):
                worker = fleet.start_module("tests.support.unprivileged_worker")
                wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
                assert "readonly" in fleet.stderr_of(worker)
                assert receiver.requests == []
            has_come_back(fleet, worker, receiver, events=1)
        database.close()
