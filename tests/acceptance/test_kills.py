"""An emitter that is killed leaves nothing halfway, and workers that live do nothing twice.

``test_kills_of_servers.py`` kills servers and workers. ``LEANBE_TESTS_EVENTS=20000`` makes the
figures large, and ``LEANBE_TESTS_SEED`` chooses other moments.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from leanbe_emitter import Leanbe
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.tables import UserRow
from tests.support.emitting_process import email, emit
from tests.support.recording_receiver import RecordingReceiver
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

pytestmark = pytest.mark.prove

SECRET = "whsec_test"
PRODUCTS = 50
EVENTS = int(os.environ.get("LEANBE_TESTS_EVENTS", "2000"))
SEED = int(os.environ.get("LEANBE_TESTS_SEED", "4"))
#: How long a run of so many events may take on a busy machine.
PATIENCE_SECONDS = max(30.0, EVENTS / 20)
#: Kills of a run: one in so many events.
EVENTS_PER_KILL = 400


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[RecordingReceiver]:
    with RecordingReceiver.running(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def fleet(database: Database, recorder: RecordingReceiver, tmp_path: Path) -> Iterator[Fleet]:
    """Processes on a database with products, whose events go to the recorder."""
    prepare(database, recorder)
    with Fleet.on(database, tmp_path) as fleet:
        yield fleet


def prepare(database: Database, recorder: RecordingReceiver) -> None:
    with Leanbe(database.url.render_as_string(hide_password=False)) as leanbe:
        for number in range(PRODUCTS):
            leanbe.products.create(f"Product {number}", webhook_url=recorder.url, secret=SECRET)


def wait_for_count(count: Callable[[], int], moment: int) -> None:
    wait_until(
        lambda: count() >= moment, f"{moment} were counted", patience_seconds=PATIENCE_SECONDS
    )


def wait_until_settled(fleet: Fleet) -> None:
    wait_until(fleet.is_settled, "no delivery is pending", patience_seconds=PATIENCE_SECONDS)


def moments(count: int) -> list[int]:
    """Return the numbers of events at which something is killed, in order."""
    return sorted(random.Random(SEED).sample(range(EVENTS // 20, EVENTS - EVENTS // 20), count))


def test_a_killed_emitter_leaves_no_change_without_its_event_nor_an_event_without_its_change(
    fleet: Fleet, recorder: RecordingReceiver
) -> None:
    fleet.start_worker()
    emitter = fleet.start_emitter(0, EVENTS)
    begun_at = [0]
    for moment in moments(EVENTS // EVENTS_PER_KILL):
        wait_for_count(fleet.recorded, moment)
        fleet.kill(emitter)
        begun_at.append(len(committed_changes(fleet.database)))
        emitter = fleet.start_emitter(begun_at[-1], EVENTS)
    assert fleet.end(emitter, by=None) == 0, fleet.stderr_of(emitter)
    wait_until_settled(fleet)
    assert fleet.complaints() == []

    bodies = recorder.bodies()
    heard_of = sorted(json.loads(body)["payload"]["email"] for body in bodies)
    assert (
        heard_of == sorted(committed_changes(fleet.database)) == sorted(map(email, range(EVENTS)))
    )
    assert bodies.total() == EVENTS
    # Two moments can fall between the same two transactions.
    assert len(set(begun_at)) > len(begun_at) // 2


def committed_changes(database: Database) -> list[str]:
    """Return the e-mails of the changes that were committed."""
    with database.reading() as session:
        return list(session.scalars(select(UserRow.email).where(UserRow.email.like("n-%"))))


def test_without_a_kill_four_workers_make_exactly_as_many_requests_as_there_are_events(
    postgresql_ready: str, recorder: RecordingReceiver, tmp_path: Path
) -> None:
    database = Database(postgresql_ready)
    prepare(database, recorder)
    # A lease of the usual length: nobody is killed here, and a machine may stand still for seconds.
    with Fleet.on(database, tmp_path, lease_seconds=30) as fleet:
        for _ in range(4):
            fleet.start_worker()
        emit(database, range(EVENTS))
        wait_until_settled(fleet)
        assert fleet.complaints() == []
        assert recorder.bodies().keys() == fleet.deliveries_by_body().keys()
        assert recorder.count() == fleet.count("attempts") == EVENTS
    database.close()
