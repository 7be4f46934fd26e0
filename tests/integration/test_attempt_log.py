"""The log of attempts, which never has secrets, payloads or URLs."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leanbe_emitter import Changes, Leanbe, ManualClock, Settings, TriggerRequest
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown, Unreachable
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.delivery.worker.attempt_log import logged
from tests.support.engine_setup import Bench, RecordingWatcher, claim
from tests.support.failing_queue import FailingQueue
from tests.support.scripted_transport import Reply, ScriptedTransport

URL = "http://127.0.0.1:9/hooks/leanbe?token=in-the-url"
#: What a log must not hold, and where each of them is put.
HIDDEN = {
    "the secret": "whsec_hidden",
    "the URL's query": "in-the-url",
    "the URL's path": "/hooks/leanbe",
    "a header's value": "Bearer in-a-header",
    "the payload": "in-the-payload",
    "the answer's body": "in-the-answer",
}
LEASE_SECONDS = 30


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def transport() -> ScriptedTransport:
    return ScriptedTransport()


@pytest.fixture
def leanbe(tmp_path: Path, clock: ManualClock, transport: ScriptedTransport) -> Iterator[Leanbe]:
    """A handle with a product, all of whose secrets are ``HIDDEN``."""
    settings = Settings(lease_seconds=LEASE_SECONDS)
    db = f"sqlite:///{tmp_path / 'test.db'}"
    with Leanbe(db, clock=clock, transport=transport, settings=settings) as leanbe:
        leanbe.products.create("Acme")
        headers = {"Authorization": HIDDEN["a header's value"]}
        leanbe.webhooks.set("Acme", URL, secret=HIDDEN["the secret"], headers=headers.items())
        yield leanbe


def enqueue(leanbe: Leanbe, count: int = 1) -> list[str]:
    """Owe events for a worker; return the ids of their deliveries."""
    changes = {"title": HIDDEN["the payload"]}
    return [
        each.delivery.id
        for _ in range(count)
        for each in leanbe.trigger_all(
            TriggerRequest(events=["idea.created"], changes=Changes(set=changes)), deliver=False
        )
        if each.delivery is not None
    ]


def set_replies(transport: ScriptedTransport, *replies: Reply) -> None:
    transport.replies[:] = replies


def of(caplog: pytest.LogCaptureFixture, message: str) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.getMessage() == message]


def fields(record: logging.LogRecord) -> dict[str, object]:
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "taskName"}
    return {name: value for name, value in vars(record).items() if name not in usual}


def test_an_attempt_is_logged_with_what_it_is_about(
    leanbe: Leanbe, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "leanbe_emitter")
    set_replies(transport, Answer(status=500))
    (delivery,) = enqueue(leanbe)
    leanbe.work(drain=True)
    (begun,), (ended,) = of(caplog, "An attempt begins."), of(caplog, "An attempt ended.")
    about = {
        "event": "idea.created",
        "delivery": delivery,
        "product": leanbe.products.only().id,
        "attempt": 1,
    }
    (attempt,) = leanbe.deliveries.get(delivery).attempts
    came_to = {
        "outcome": "refused",
        "answer_status": 500,
        "duration_ms": attempt.duration_ms,
        "status": "pending",
    }
    assert (begun.levelname, fields(begun)) == ("DEBUG", about)
    assert (ended.levelname, fields(ended)) == ("INFO", about | came_to)


def test_attempts_in_the_foreground_are_logged_too(
    leanbe: Leanbe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leanbe_emitter")
    leanbe.trigger("idea.created")
    assert [fields(each)["outcome"] for each in of(caplog, "An attempt ended.")] == ["delivered"]


def test_a_worker_that_stops_logs_its_totals(
    leanbe: Leanbe, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leanbe_emitter")
    set_replies(transport, Answer(status=500), Unreachable("refused"))
    enqueue(leanbe, 4)
    leanbe.work(drain=True)
    (totals,) = of(caplog, "The worker stopped.")
    assert fields(totals) == {
        "claimed": 4,
        "handed_back": 0,
        "delivered": 2,
        "refused": 1,
        "unreachable": 1,
        "unknown": 0,
        "leases_lost": 0,
        "vanished": 0,
        "database_unavailable": 0,
    }


def test_nobody_listens_unless_somebody_asks_and_then_an_attempt_costs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher = Watcher()
    caplog.set_level(logging.WARNING, "leanbe_emitter")
    assert logged(watcher) is watcher
    assert logged(None) is None
    caplog.set_level(logging.INFO, "leanbe_emitter")
    assert logged(watcher) is not watcher


def test_a_watcher_gets_attempts_whether_or_not_they_are_logged(
    leanbe: Leanbe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "leanbe_emitter")
    watcher = RecordingWatcher()
    enqueue(leanbe)
    leanbe.work(drain=True, watcher=watcher)
    assert len(watcher.begins) == len(watcher.ends) == 1


def record_content(record: logging.LogRecord) -> str:
    """Return all that a record holds, as whatever formatter might show it."""
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    return json.dumps(vars(record), default=repr) + record.getMessage() + trace


class Troubled(ScriptedTransport):
    """Loses the lease in the middle of an attempt, once it is told to whom."""

    thief: Queue | None = None

    def __init__(self, clock: ManualClock, *replies: Reply) -> None:
        super().__init__(*replies)
        self._clock = clock

    async def send(self, request: OutgoingRequest) -> Answer:
        thief, self.thief = self.thief, None
        if thief is not None:
            self._clock.advance(seconds=LEASE_SECONDS)
            thief.reap()
            claim(thief)
        return await super().send(request)


def test_no_secret_and_no_payload_is_in_any_log_record_or_metric(
    leanbe: Leanbe, tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """All that can happen to a delivery happens, while everything is logged."""
    # It shows rows to whoever asks it to, and is not ours.
    caplog.set_level(logging.WARNING, "sqlalchemy")
    caplog.set_level(logging.DEBUG)
    answer = Answer(status=500, body=HIDDEN["the answer's body"].encode(), body_length=13)
    transport = Troubled(
        clock,
        answer,
        Unreachable("refused"),
        Unknown("cut off", answer=answer),
        ZeroDivisionError(),
    )
    other = Leanbe(f"sqlite:///{tmp_path / 'test.db'}", clock=clock, transport=transport)
    with other as troubled:
        bench = Bench(database=troubled._database, clock=clock, ids=troubled._ids)
        queue, troubled._engine.queue = troubled._engine.queue, FailingQueue.of(bench, settle=2)
        enqueue(leanbe, 6)
        troubled.work(drain=True)
        clock.advance(seconds=LEASE_SECONDS)
        troubled.work(drain=True)  # what vanished, and what was refused
        transport.thief = queue
        troubled.trigger("idea.created", set={"title": HIDDEN["the payload"]})
        enqueue(leanbe)
        bench.remove_url(leanbe.products.only().id)
        troubled.work(drain=True)
        metrics = troubled.metrics()
    assert all(metrics.attempts_total.values()), metrics
    assert metrics.deliveries_handed_back_total > 0
    assert (metrics.leases_lost_total, metrics.attempts_vanished_total) == (1, 1)
    assert metrics.database_unavailable_total == 2
    assert len({each.getMessage() for each in caplog.records}) >= 6
    everything = [record_content(record) for record in caplog.records]
    everything.append(repr(metrics))
    leaks = {what for what, text in HIDDEN.items() for each in everything if text in each}
    assert leaks == set()
