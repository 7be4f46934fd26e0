"""Answers that are large: a stream that nobody reads, a trigger, a wait, a list."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any

import pytest

from leanbe_emitter import Changes, Filter, Leanbe, TriggerRequest
from leanbe_emitter.clock import stopwatch
from tests.support.server_process import RunningServer
from tests.support.server_under_attack import bounded_memory, connect, is_healthy, wait_until_idle

LARGE = "é" * 450_000
LISTENERS = 8
MANY = 1200


def large_events(leanbe: Leanbe, count: int) -> None:
    changes = Changes(set={"title": LARGE})
    for _ in range(count):
        request = TriggerRequest(events=["idea.created"], changes=changes)
        leanbe.trigger_all(request, deliver=False)


@contextmanager
def answering_meanwhile(served: RunningServer, *, within_seconds: float) -> Iterator[None]:
    """Check that the server answers a health check every time during the block."""
    is_over, longest = threading.Event(), [0.0]

    def ask() -> None:
        while not is_over.is_set():
            began_at = stopwatch()
            if not is_healthy(served, seconds=60):
                longest.append(float("inf"))
            longest.append(stopwatch() - began_at)
            is_over.wait(0.02)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        is_over.set()
        asking.join()
    assert max(longest) < within_seconds, f"{max(longest):.1f} s"


@pytest.mark.usefixtures("leanbe")
def test_listeners_that_do_not_read_cost_little(served: RunningServer, leanbe: Leanbe) -> None:
    large_events(leanbe, 40)
    with bounded_memory(served.process), ExitStack() as stack:
        for _ in range(LISTENERS):
            listener = stack.enter_context(connect(served, receives=4096))
            listener.sendall(b"GET /api/v1/stream?after=0-0-0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert listener.recv(1)
        wait_until_idle(served.process)
        assert is_healthy(served)


def test_a_page_of_large_deliveries_ends_early_and_the_next_one_goes_on(
    served: RunningServer, leanbe: Leanbe
) -> None:
    large_events(leanbe, 40)
    for path in ("/deliveries", "/events"):
        with bounded_memory(served.process):
            pages = list(pages_of(served, path))
        assert all(len(each) < 10 for each in pages)
        found = [each for page in pages for each in page]
        assert len(set(found)) == len(found) == 40


def pages_of(served: RunningServer, path: str) -> Iterator[list[str]]:
    """Yield the ids of each page of a list."""
    query = {"limit": "200"}
    while True:
        page = served.client.get(path, params=query).json()
        yield [each["_id"] for each in page["items"]]
        if page["cursor"] is None:
            return
        query["cursor"] = page["cursor"]


TRIGGER = "/products/Acme/trigger"


@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/dry-run"])
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"events": ["idea.created"] * 500, "times": 100}, "50000 events"),
        ({"events": ["idea.created"], "times": 40, "set": {"title": LARGE}}, "16777216 bytes"),
    ],
    ids=["events", "bytes"],
)
@pytest.mark.usefixtures("leanbe")
def test_a_trigger_beyond_its_limits_is_refused_and_records_nothing(
    served: RunningServer, path: str, wanted: dict[str, Any], said: str
) -> None:
    with bounded_memory(served.process):
        refused = served.client.post(path, json=wanted)
    assert refused.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    told = refused.json()
    assert (told["code"], said in told["detail"]) == ("payload_too_large", True)
    assert "1000 events" in told["hint"]
    assert served.client.get("/events").json()["items"] == []


@pytest.mark.usefixtures("leanbe")
@pytest.mark.parametrize(
    "wanted",
    [
        {"events": ["idea.created"] * 10, "times": 100},
        {"events": ["idea.created"], "times": 18, "set": {"title": LARGE}},
        {"events": ["idea.created"], "times": 24, "payload": [[]] * 230_000},
    ],
    ids=["events", "bytes", "small values"],
)
def test_the_largest_trigger_has_its_answer(served: RunningServer, wanted: dict[str, Any]) -> None:
    with bounded_memory(served.process), answering_meanwhile(served, within_seconds=5):
        whole = served.client.post(TRIGGER, json=wanted)
        assert whole.status_code == HTTPStatus.CREATED
        ids = served.client.post(f"{TRIGGER}?view=ids", json=wanted)
    # Parsed, the largest answer would take the test longer than the server took for it.
    assert whole.content.count(b'"triggeredAt"') == 2 * len(ids.json()["items"])
    assert len(ids.content) < MANY * 1000
    assert "payload" not in ids.json()["items"][0]["event"]


def test_a_large_wait_is_answered_in_pages_while_others_are_served(
    served: RunningServer, leanbe: Leanbe
) -> None:
    after = str(leanbe.journal.wait_cursor())
    leanbe.trigger_all(TriggerRequest(events=["idea.created"], times=MANY), deliver=False)
    leanbe.deliveries.discard(which=Filter(status="pending"))
    found: list[str] = []
    with bounded_memory(served.process), answering_meanwhile(served, within_seconds=2):
        is_more = True
        while is_more:
            page = served.client.post("/deliveries/wait", json={"after": after}).json()
            assert len(page["items"]) <= 200
            found += [each["_id"] for each in page["items"]]
            after, is_more = page["cursor"], page["more"]
    assert set(found) == {each.id for each in leanbe.deliveries.list(limit=MANY)}


def test_a_wait_for_many_large_deliveries_shows_some_and_says_that_there_are_more(
    served: RunningServer, leanbe: Leanbe
) -> None:
    large_events(leanbe, 40)
    wanted = {"status": "pending", "count": 40, "timeout": 0}
    with bounded_memory(served.process):
        page = served.client.post("/deliveries/wait", json=wanted)
    assert page.status_code == HTTPStatus.OK, page.text[:200]
    told = json.loads(page.content)
    assert (0 < len(told["items"]) < 10, told["more"]) == (True, True)
