"""PostgreSQL in trouble under working workers: they back off, come back, and lose nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from leanbe_emitter import Leanbe, verify
from leanbe_emitter.storage.engine.database import Database
from tests.support.emitting_process import emit
from tests.support.postgresql import Cluster
from tests.support.recording_receiver import RecordingReceiver
from tests.support.small_disks import full_disk, small_disk
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
PRODUCTS = 5
EVENTS = 300
#: What was committed is there after a crash of the server, though not after one of the machine.
DURABLE = {"fsync": "off", "unix_socket_directories": "''"}


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[RecordingReceiver]:
    # Slow enough for a worker to be in the middle of it when the trouble comes.
    with RecordingReceiver.running(tmp_path, delay_ms=50) as recorder:
        yield recorder


@pytest.fixture
def fleet(postgresql_ready: str, recorder: RecordingReceiver, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_with_pending_events(postgresql_ready, recorder, tmp_path) as fleet:
        yield fleet


@contextmanager
def own_server(home: Path) -> Iterator[Cluster]:
    """Have a server that the test may do anything to."""
    cluster = Cluster(home, settings=DURABLE)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that a server can reach who may not reach the test's own."""
    with tempfile.TemporaryDirectory(prefix="leanbe-emitter-trouble-") as home:
        yield Path(home)


@pytest.fixture
def server(home: Path) -> Iterator[Cluster]:
    with own_server(home) as server:
        yield server


@contextmanager
def fleet_with_pending_events(
    url: str, recorder: RecordingReceiver, home: Path, *, products: int = PRODUCTS
) -> Iterator[Fleet]:
    """Have processes on a database with pending events for the recorder."""
    database = Database(url)
    with Leanbe(url) as leanbe:
        for number in range(products):
            leanbe.products.create(f"Product {number}", webhook_url=recorder.url, secret=SECRET)
    emit(database, range(EVENTS))
    with Fleet.on(database, home) as fleet:
        yield fleet
    database.close()


def no_event_is_lost(fleet: Fleet, recorder: RecordingReceiver) -> None:
    """A request that came twice has an attempt on record whose end nobody knows."""
    received, expected = recorder.bodies(), fleet.deliveries_by_body()
    assert received.keys() == expected.keys()
    for body in received:
        verify(body, SECRET)
    assert fleet.count("deliveries", "state = 'delivered'") == EVENTS
    assert {expected[body] for body, count in received.items() if count > 1} <= fleet.lost()


def test_a_server_that_crashes_under_a_worker_costs_nothing_but_time(
    server: Cluster, recorder: RecordingReceiver, tmp_path: Path
) -> None:
    with (
        server.migrated_database() as url,
        fleet_with_pending_events(url, recorder, tmp_path) as fleet,
    ):
        worker = fleet.start_worker()
        wait_until(lambda: recorder.count() > EVENTS // 4, "it is in the middle of it")
        with server.crashed():
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
        wait_until(fleet.is_settled, "all is delivered")
        assert fleet.end(worker) == 0
        assert fleet.complaints() == []
        no_event_is_lost(fleet, recorder)


def test_a_worker_that_is_told_to_stop_while_the_server_is_gone_ends_and_loses_nothing(
    server: Cluster, recorder: RecordingReceiver, tmp_path: Path
) -> None:
    with (
        server.migrated_database() as url,
        fleet_with_pending_events(url, recorder, tmp_path, products=1) as fleet,
    ):
        worker = fleet.start_worker()
        wait_until(lambda: recorder.count() > 0, "it is in the middle of it")
        with server.crashed():
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
            assert fleet.end(worker) == 0
        assert "The database stayed unavailable" in fleet.stderr_of(worker)
        other = fleet.start_worker()
        wait_until(fleet.is_settled, "all is delivered")
        assert fleet.end(other) == 0
        no_event_is_lost(fleet, recorder)


def test_a_server_whose_disk_is_full_is_waited_for(
    home: Path, recorder: RecordingReceiver, tmp_path: Path
) -> None:
    with (
        small_disk(home, megabytes=256),
        own_server(home) as server,
        server.migrated_database() as url,
        fleet_with_pending_events(url, recorder, tmp_path) as fleet,
    ):
        with full_disk(home):
            worker = fleet.start_worker()
            wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
            assert "No space left on device" in fleet.stderr_of(worker)
        wait_until(fleet.is_settled, "all is delivered")
        assert fleet.end(worker) == 0
        assert fleet.complaints() == []
        no_event_is_lost(fleet, recorder)


def has_received(recorder: RecordingReceiver, moment: int) -> bool:
    return recorder.count() >= moment


def terminate(fleet: Fleet, worker: str) -> bool:
    """End the connections of a worker; say whether there were any.

    Other tests' workers, which are called the same, are on other databases of the same server.
    """
    url = fleet.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = %s"
    )
    with psycopg.connect(url) as connection:
        return len(connection.execute(statement, [worker]).fetchall()) > 0


def test_connections_that_are_terminated_cost_nothing_but_time(
    fleet: Fleet, recorder: RecordingReceiver
) -> None:
    worker = fleet.start_worker()
    for moment in range(EVENTS // 6, EVENTS, EVENTS // 6):
        wait_until(partial(has_received, recorder, moment), "it is in the middle of it")
        wait_until(lambda: terminate(fleet, worker), "it had a connection")
    wait_until(fleet.is_settled, "all is delivered")
    assert fleet.end(worker) == 0
    assert fleet.complaints() == []
    no_event_is_lost(fleet, recorder)


def test_a_database_that_becomes_read_only_is_waited_for(
    fleet: Fleet, recorder: RecordingReceiver
) -> None:
    """As after a fail-over to a server that is still a standby."""
    database = fleet.database.url.database
    worker = fleet.start_worker()
    wait_until(lambda: recorder.count() > EVENTS // 4, "it is in the middle of it")
    administer(fleet, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    wait_until(lambda: terminate(fleet, worker), "it has to connect again")
    wait_until(lambda: fleet.waits_for_database(worker), "it has asked more than once")
    administer(fleet, f"ALTER DATABASE {database} RESET default_transaction_read_only")
    wait_until(fleet.is_settled, "all is delivered")
    assert fleet.end(worker) == 0
    assert fleet.complaints() == []
    no_event_is_lost(fleet, recorder)


def administer(fleet: Fleet, statement: str) -> None:
    url = fleet.database.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement.encode())
