"""Watchers are told of attempts as the database stores them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from leanbe_emitter import Leanbe, ManualClock
from leanbe_emitter.delivery.network.transport import Answer, Unknown
from tests.support.engine_setup import RecordingWatcher
from tests.support.scripted_transport import OK, ScriptedTransport

REFUSED = Answer(status=500, headers=(("X-Why", "full"),), body=b"full", body_length=4)
CUT_OFF = Unknown("it was cut off", answer=Answer(status=200))


def deliver(leanbe: Leanbe, watcher: RecordingWatcher) -> None:
    assert leanbe.deliver(watcher=watcher) == watcher.ends


def work(leanbe: Leanbe, watcher: RecordingWatcher) -> None:
    leanbe.work(drain=True, watcher=watcher)


@pytest.mark.parametrize("make_what_is_due", [deliver, work])
def test_a_watcher_is_told_the_attempts_that_are_on_record(
    make_what_is_due: Callable[[Leanbe, RecordingWatcher], None],
) -> None:
    transport = ScriptedTransport(OK, REFUSED, CUT_OFF)
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(transport=transport, clock=clock) as leanbe:
        product = leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.faults.wrong_secret()
        leanbe.assumptions.set("timeout", "3s", product=product)
        for title in ("One", "Two", "Three"):
            product.ideas.create(title=title)
        watcher = RecordingWatcher()
        make_what_is_due(leanbe, watcher)
        deliveries = leanbe.deliveries.list()[::-1]
        assert watcher.ends == [each for delivery in deliveries for each in delivery.attempts]
        assert [each.status for each in watcher.ends] == ["delivered", "pending", "pending"]
        assert [each.next_due_at for each in deliveries] == [
            each.next_due_at for each in watcher.ends
        ]
        assert watcher.ends[0].fault is not None
        assert watcher.ends[0].request_body != deliveries[0].event.body
