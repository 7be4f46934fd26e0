"""Two runs of the same calls with a seed: the same bytes, whatever else differs."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from leanbe_emitter import Filter, InvalidValue, Leanbe, ManualClock
from leanbe_emitter.delivery.network.transport import Answer
from tests.support.scripted_transport import ScriptedTransport

START = datetime(2026, 1, 1, tzinfo=UTC)

#: A run for a process of its own: it prints its snapshot.
PROGRAM = """
import json
from tests.integration.test_determinism import run
print(json.dumps(run(7)))
"""


def run(seed: int) -> object:
    """Let a product live for an hour, and return the snapshot of it."""
    answers = ScriptedTransport(Answer(status=500), Answer(status=204))
    with Leanbe(seed=seed, clock=ManualClock(START), transport=answers) as leanbe:
        acme = leanbe.products.create("Acme", webhook_url="http://a.test/")
        ana = acme.customers.create(email="ana@example.com", first_name="Ana")
        idea = acme.ideas.create(title="Dark mode", tags=["ui", "web"])
        acme.ideas.upvote(idea, customer=ana)
        leanbe.trigger("announcement.created", set={"title": "Dark mode is here"})
        leanbe.clock.advance(hours=1)
        return leanbe.deliveries.snapshot()


def test_a_snapshot_tells_what_was_sent_and_what_came_of_it() -> None:
    answers = ScriptedTransport(Answer(status=500))
    with Leanbe(seed=1, clock=ManualClock(START), transport=answers) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/", secret="whsec_test")
        first = leanbe.trigger("idea.created")
        leanbe.trigger("idea.upVoted")
        leanbe.clock.advance(hours=1)
        snapshot = leanbe.deliveries.snapshot()
        assert leanbe.deliveries.snapshot(Filter(event="idea.upVoted")) == snapshot[1:]
        with pytest.raises(InvalidValue):
            leanbe.deliveries.snapshot(Filter(event="idea.upvoted"))
    assert snapshot[0] == {
        "event": "idea.created",
        "status": "delivered",
        "url": "http://a.test/",
        "body": first.event.body.decode(),
        "attempts": [
            {"outcome": "refused", "answerStatus": 500, "startedAt": "2026-01-01T00:00:00.000Z"},
            {"outcome": "delivered", "answerStatus": 204, "startedAt": "2026-01-01T00:00:05.000Z"},
        ],
    }
    assert [each["event"] for each in snapshot] == ["idea.created", "idea.upVoted"]


def test_a_body_that_was_built_again_stands_with_its_attempt() -> None:
    answers = ScriptedTransport(Answer(status=500))
    assume = {"restamp_on_retry": "true"}
    with Leanbe(clock=ManualClock(START), transport=answers, assume=assume) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.trigger("idea.created")
        leanbe.clock.advance(hours=1)
        (delivery,) = leanbe.deliveries.snapshot()
    first, second = delivery["attempts"]
    assert "body" not in first
    assert json.loads(second["body"])["triggeredAt"] == "2026-01-01T00:00:05.000Z"


@pytest.mark.parametrize(
    "hash_seed", ["1", *(pytest.param(each, marks=pytest.mark.prove) for each in "02")]
)
def test_another_process_sends_the_same_bytes(hash_seed: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
    )
    assert json.loads(finished.stdout) == run(7)


def test_another_seed_gives_other_ids() -> None:
    assert run(7) != run(8)
