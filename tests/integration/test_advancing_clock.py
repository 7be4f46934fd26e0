"""A manual clock that is moved: everything falls due on the way, in order, at its own time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from leanbe_emitter import (
    Attempt,
    Conflict,
    EndlessDeliveries,
    InvalidValue,
    Leanbe,
    ManualClock,
    ReceivedRequest,
)
from leanbe_emitter.clock import RANGE
from leanbe_emitter.delivery.network.transport import Answer, Unknown
from leanbe_emitter.library.handle import clock
from leanbe_emitter.library.handle.clock import AdvancingClock
from leanbe_emitter.library.runtime.awaitables import Results
from tests.support.scripted_transport import OK, ScriptedTransport

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMEOUT = Unknown("no complete answer within 10 s")


def acme(*replies: Answer | Unknown) -> Leanbe:
    """Return a Leanbe with one product, whose receiver answers like this and then with 204."""
    leanbe = Leanbe(clock=ManualClock(START), transport=ScriptedTransport(*replies))
    leanbe.products.create("Acme", webhook_url="http://a.test/")
    return leanbe


@pytest.fixture
def leanbe() -> Iterator[Leanbe]:
    with acme(*[TIMEOUT] * 3) as leanbe:
        yield leanbe


def attempts_by_second(leanbe: Leanbe) -> list[tuple[str, int]]:
    """Return every attempt as its event and the second in which it was made, in their order."""
    attempts = [
        (each.started_at, delivery.event.sequence, delivery.event.name)
        for delivery in leanbe.deliveries.list()
        for each in delivery.attempts
    ]
    return [(name, (at - START).seconds) for at, _, name in sorted(attempts)]


def test_retries_are_made_at_their_own_time_in_their_order(leanbe: Leanbe) -> None:
    leanbe.trigger("idea.created")
    leanbe.trigger("idea.upVoted")
    attempts = leanbe.clock.advance(hours=1)
    assert attempts_by_second(leanbe) == [
        ("idea.created", 0),
        ("idea.upVoted", 0),
        ("idea.created", 5),
        ("idea.upVoted", 5),
        ("idea.created", 35),
    ]
    assert [each.outcome for each in attempts] == ["unknown", "delivered", "delivered"]
    assert leanbe.clock.now() == START + timedelta(hours=1)


def test_a_delivery_that_is_due_already_is_attempted_first(leanbe: Leanbe) -> None:
    leanbe.products.only().ideas.create(title="Dark mode")
    leanbe.clock.advance(seconds=1)
    assert attempts_by_second(leanbe) == [("idea.created", 0)]


def test_moves_of_the_clock_at_once_add_up(leanbe: Leanbe, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver() -> Results[Attempt]:
        monkeypatch.undo()
        leanbe.clock.advance(seconds=4)
        return leanbe.deliver()

    leanbe.trigger("idea.created")
    monkeypatch.setattr(leanbe.clock, "_deliver", deliver)
    leanbe.clock.advance(seconds=2)
    assert attempts_by_second(leanbe) == [("idea.created", 0), ("idea.created", 5)]
    assert leanbe.clock.now() == START + timedelta(seconds=6)


def test_a_delivery_due_later_stays_pending(leanbe: Leanbe) -> None:
    delivery = leanbe.trigger("idea.created")
    assert leanbe.clock.advance(seconds=4.999) == []
    assert len(leanbe.clock.advance(seconds=0.001)) == 1
    assert leanbe.deliveries.get(delivery).next_due_at == START + timedelta(seconds=35)


def test_the_clock_runs_until_everything_is_settled(leanbe: Leanbe) -> None:
    delivery = leanbe.trigger("idea.created")
    assert len(leanbe.clock.run_until_settled()) == 3
    assert leanbe.deliveries.get(delivery).delivered
    assert leanbe.clock.now() == START + timedelta(seconds=155)
    assert leanbe.clock.run_until_settled() == []


def test_an_exhausted_delivery_is_settled() -> None:
    with acme(*[TIMEOUT] * 5) as leanbe:
        delivery = leanbe.trigger("idea.created")
        leanbe.clock.run_until_settled()
        assert leanbe.deliveries.get(delivery).status == "exhausted"


def test_timestamps_follow_the_clock(leanbe: Leanbe) -> None:
    leanbe.clock.advance(days=1, minutes=1)
    event = leanbe.trigger("idea.created").event
    assert event.triggered_at.replace(microsecond=0) == START + timedelta(days=1, minutes=1)


def test_an_event_that_a_receiver_raises_at_a_retry_is_attempted_in_the_same_pass() -> None:
    def receive(request: ReceivedRequest) -> int:
        event = request.envelope("whsec_test").event
        events.append(event)
        if len(events) == 1:
            return 503
        if event == "idea.created":
            product.customers.create(email="ana@example.com")
        return 204

    events = list[str]()
    with Leanbe(clock=ManualClock(START)) as leanbe:
        product = leanbe.products.create("Acme", webhook=receive, secret="whsec_test")
        product.ideas.create(title="Dark mode")
        leanbe.clock.advance(hours=1)
        assert attempts_by_second(leanbe)[-1] == ("customer.created", 5)
    assert events == ["idea.created", "idea.created", "customer.created"]


def test_deliveries_without_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "MOST_STOPS", 3)
    with acme(*[TIMEOUT] * 9) as leanbe:
        leanbe.assumptions.set("max_attempts", "9")
        leanbe.trigger("idea.created")
        with pytest.raises(EndlessDeliveries, match="fell due 3 times"):
            leanbe.clock.run_until_settled()


def test_the_refusal_to_move_a_clock_names_the_setting_that_allows_it() -> None:
    with Leanbe() as leanbe, pytest.raises(Conflict, match=r'Leanbe\(clock="manual"\)'):
        leanbe.clock.advance(hours=1)
    with Leanbe(clock="manual") as leanbe:
        leanbe.clock.advance(hours=1)


def test_the_machines_clock_cannot_be_moved() -> None:
    with Leanbe(transport=ScriptedTransport(OK)) as leanbe:
        for move in (
            leanbe.clock.run_until_settled,
            lambda: leanbe.clock.advance(hours=1),
            lambda: leanbe.clock.set(START),
        ):
            with pytest.raises(Conflict, match="machine's own clock"):
                move()


@pytest.mark.parametrize(
    "move",
    [
        lambda clock: clock.set(datetime(1970, 12, 31, 23, 59, tzinfo=UTC)),
        lambda clock: clock.set(datetime.max.replace(tzinfo=timezone(timedelta(hours=-7)))),
        lambda clock: clock.advance(days=365 * 6974 + 1691),
        lambda clock: clock.advance(days=1e300),
    ],
    ids=["before", "behind", "on", "beyond all dates"],
)
def test_a_clock_is_moved_within_the_years_1971_to_2105(
    leanbe: Leanbe, move: Callable[[AdvancingClock], object]
) -> None:
    with pytest.raises(InvalidValue, match="within the years 1971 to 2105"):
        move(leanbe.clock)
    assert leanbe.clock.now() == START


@pytest.mark.parametrize("edge", [RANGE[0], RANGE[1] - timedelta(milliseconds=1)])
def test_at_the_edges_of_a_clocks_range_events_are_made_and_retried(
    leanbe: Leanbe, edge: datetime
) -> None:
    leanbe.clock.set(edge)
    leanbe.products.only().ideas.create(title="A map")
    leanbe.settle()
    attempts = leanbe.clock.run_until_settled()
    assert [each.outcome for each in attempts][-1] == "delivered"


def test_the_way_is_forward_and_an_instant_has_a_zone(leanbe: Leanbe) -> None:
    for seconds in (0, -1):
        with pytest.raises(InvalidValue, match="cannot be moved on"):
            leanbe.clock.advance(seconds=seconds)
    with pytest.raises(InvalidValue, match="has no time zone"):
        leanbe.clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake itself
    leanbe.clock.set(START - timedelta(days=1))
    assert leanbe.clock.now() == START - timedelta(days=1)
