"""A worker that slept past its lease changes nothing of what it lost, and says so."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select, text

from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, JournalRow
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

EVENTS = 3


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    with LoopbackReceiver.listening() as receiver:
        yield receiver


def rows_of(database: Database) -> list[Sequence[Row[Any]]]:
    """Return all that a settlement writes to."""
    with database.reading() as session:
        return [
            session.execute(select(table.__table__).order_by(text("1, 2"))).all()
            for table in (DeliveryRow, AttemptRow, JournalRow)
        ]


def test_a_worker_that_was_stopped_past_its_lease_changes_nothing_and_logs_that_it_lost_it(
    database: Database, receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    with Leanbe(database.url.render_as_string(hide_password=False)) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url, secret="whsec_test")
        leanbe.trigger_all(TriggerRequest(events=["idea.created"] * EVENTS), deliver=False)
    receiver.is_open.clear()
    with Fleet.on(database, tmp_path) as fleet:
        first = fleet.start_worker()
        wait_until(lambda: len(receiver.requests) == EVENTS, "the first has made its requests")
        os.kill(fleet.running[first].pid, signal.SIGSTOP)
        receiver.is_open.set()
        second = fleet.start_worker()
        wait_until(
            lambda: fleet.count("deliveries", "state = 'delivered'") == EVENTS, "all is settled"
        )
        settled = rows_of(database)
        os.kill(fleet.running[first].pid, signal.SIGCONT)
        wait_until(
            lambda: fleet.stderr_of(first).count("lease was lost") == EVENTS, "the first knows it"
        )
        assert rows_of(database) == settled
        assert fleet.end(first) == fleet.end(second) == 0
        assert rows_of(database) == settled
    assert fleet.count("attempts", "outcome = 'unknown'") == EVENTS
    assert fleet.count("attempts", "outcome = 'delivered'") == EVENTS
    assert len(receiver.requests) == 2 * EVENTS
