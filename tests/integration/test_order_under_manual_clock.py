"""Actions of several processes keep their order while the clock stands still."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from leanbe_emitter import Event, Filter, Leanbe
from tests.support.scripted_transport import ScriptedTransport

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 4


@pytest.fixture
def handles(database_url: str) -> Iterator[tuple[Leanbe, Leanbe]]:
    """Two processes that act on one database, whose clock is manual."""
    with ExitStack() as opened:
        first = opened.enter_context(
            Leanbe(database_url, clock="manual", transport=ScriptedTransport())
        )
        first.clock.set(START)
        first.products.create("Acme", webhook_url="http://a.test/")
        yield first, opened.enter_context(Leanbe(database_url, transport=ScriptedTransport()))


@pytest.fixture
def events(handles: tuple[Leanbe, Leanbe]) -> list[Event]:
    """The actions of both, by turns, in their order."""
    return [each.trigger("idea.created").event for _ in range(ROUNDS) for each in handles]


def test_events_are_listed_the_newest_first(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    listed = handles[0].events.list()
    assert [each.sequence for each in listed] == [each.sequence for each in reversed(events)]


def test_pages_of_events_go_on_in_their_order(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    page = handles[0].events.list(limit=3)
    rest = handles[0].events.list(after=page.cursor)
    assert [*page, *rest] == events[::-1]


def test_deliveries_are_listed_the_newest_first(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    listed = [each.event for each in handles[0].deliveries.list()]
    assert listed == events[::-1]


def test_a_wait_returns_the_newest_delivery_first(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    found = handles[0].deliveries.wait_for(Filter(), count=len(events), timeout_seconds=1)
    assert [each.event for each in found] == events[::-1]


def test_the_last_delivery_is_whoevers_came_last(handles: tuple[Leanbe, Leanbe]) -> None:
    for each in (*handles, *handles):
        delivery = each.trigger("idea.created")
        assert handles[0].deliveries.last() == delivery


def test_an_event_that_is_delivered_again_is_the_last_delivery(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    del events
    for each in (*handles, *handles):
        (delivery,) = each.deliveries.redeliver(each.deliveries.last())
        assert handles[0].deliveries.last() == delivery


def test_events_of_another_product_are_the_newest_though_it_has_fewer(
    handles: tuple[Leanbe, Leanbe], events: list[Event]
) -> None:
    other = handles[1].products.create("Other", webhook_url="http://b.test/")
    last = handles[0].trigger("idea.created", product=other).event
    assert handles[1].events.list(limit=2) == [last, events[-1]]


def test_retries_are_made_in_the_order_of_their_events(handles: tuple[Leanbe, Leanbe]) -> None:
    first, second = handles
    first.faults.receiver_fails(how="refused", times=2 * ROUNDS)
    recorded = [each.trigger("idea.created").event for _ in range(ROUNDS) for each in handles]
    attempts = second.clock.advance(hours=1)
    assert [each.request_body for each in attempts] == [each.body for each in recorded]
