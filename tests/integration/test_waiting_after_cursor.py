"""Going on behind a cursor: waiting for what came of an action, and lists in pages."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from leanbe_emitter import Filter, InvalidValue, Job, Leanbe, WaitTimedOut
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import wait_until

URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def leanbe(database_url: str) -> Iterator[Leanbe]:
    with Leanbe(database_url, transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        yield leanbe


def make_ideas(leanbe: Leanbe, *titles: str) -> None:
    for title in titles:
        leanbe.products.only().ideas.create(title=title)


def test_only_what_happened_behind_the_cursor_counts(leanbe: Leanbe) -> None:
    make_ideas(leanbe, "Before")
    leanbe.deliver()
    cursor = leanbe.journal.wait_cursor()
    make_ideas(leanbe, "After")
    leanbe.deliver()
    (found,) = leanbe.deliveries.wait_for(Filter(), after=cursor, timeout_seconds=30)
    assert found.event.payload["title"] == "After"
    with pytest.raises(WaitTimedOut, match="1 of 2 deliveries came"):
        leanbe.deliveries.wait_for(Filter(), count=2, after=cursor, timeout_seconds=0)


def test_a_delivery_counts_that_was_recorded_before_and_settled_behind_the_cursor(
    leanbe: Leanbe,
) -> None:
    make_ideas(leanbe, "Dark mode")
    cursor = leanbe.journal.wait_cursor()
    delivery_wait = leanbe.deliveries.delivery_wait(Filter(), after=cursor)
    assert not delivery_wait.look()
    leanbe.deliver()
    # On PostgreSQL that is told when no transaction of the cluster can precede it any more.
    wait_until(delivery_wait.look, "what was settled is told")


def test_events_and_deliveries_come_in_pages_the_newest_first(leanbe: Leanbe) -> None:
    make_ideas(leanbe, *"abcde")
    for pages in (leanbe.events, leanbe.deliveries):
        titles, cursor, sizes = "", None, []
        while True:
            page = pages.list(limit=2, after=cursor)
            events: list[Any] = [getattr(each, "event", each) for each in page]
            titles += "".join(each.payload["title"] for each in events)
            sizes.append(len(page))
            cursor = page.cursor
            if cursor is None:
                break
        assert (titles, sizes) == ("edcba", [2, 2, 1])


def test_events_are_listed_with_and_without_a_delivery(leanbe: Leanbe) -> None:
    make_ideas(leanbe, "Elsewhere")
    other = leanbe.products.create("Without a URL")
    other.ideas.create(title="Dark mode")
    other.announcements.create(title="Soon")
    (event,) = leanbe.events.list(event="idea.*", product=other)
    assert event.payload["title"] == "Dark mode"
    assert leanbe.events.get(event.id[-8:]) == event


def test_only_deliveries_recorded_since_count_though_a_transaction_is_open(
    postgresql_ready: str,
) -> None:
    with Leanbe(postgresql_ready) as leanbe, psycopg.connect(postgresql_ready) as somebody:
        leanbe.products.create("Acme", webhook_url=URL)
        somebody.execute("SELECT pg_current_xact_id()")
        make_ideas(leanbe, "Before")
        cursor = leanbe.journal.wait_cursor()
        somebody.rollback()
        make_ideas(leanbe, "After")
        (found,) = leanbe.deliveries.wait_for(
            Filter(status="pending"), after=cursor, timeout_seconds=30
        )
        assert found.event.payload["title"] == "After"
        delivery_wait = leanbe.deliveries.delivery_wait(
            Filter(status="pending"), count=2, after=cursor
        )
        assert not delivery_wait.look()


@pytest.mark.parametrize("cursor", ["", "1", "1-2", "x-649d2ac49c3a1954e6a2e421"])
def test_an_invalid_cursor_is_refused(leanbe: Leanbe, cursor: str) -> None:
    with pytest.raises(InvalidValue, match="no cursor"):
        leanbe.events.list(after=cursor)
    with pytest.raises(InvalidValue, match="no cursor"):
        leanbe.deliveries.list(after=cursor)


def test_redeliveries_may_be_left_to_a_worker(leanbe: Leanbe) -> None:
    make_ideas(leanbe, "a", "b")
    leanbe.deliver()
    old = [each.id for each in leanbe.deliveries.list()]
    (new,) = leanbe.deliveries.redeliver(*old[:1], deliver=False)
    assert new.status == "pending"
    job = Job(name="all", which=Filter(status="delivered"))
    done = leanbe.deliveries.redeliver(job, deliver=False)
    assert (done.made, leanbe.due().count) == (2, 3)
    leanbe.work(drain=True)
    assert leanbe.counts().deliveries == {
        "pending": 0,
        "delivered": 5,
        "exhausted": 0,
        "cancelled": 0,
    }
