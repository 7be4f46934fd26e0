"""An argument of a wrong type is named, with what it has to be; Python's own error says neither."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from leanbe_emitter import Changes, Filter, InvalidValue, Leanbe, Settings, TriggerRequest

Call = Callable[[Any], object]


@pytest.fixture(scope="module")
def leanbe() -> Iterator[Leanbe]:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme")
        yield leanbe


def acme(leanbe: Any) -> Any:
    """Return the product; its type is left open, as in code that nobody checks."""
    return leanbe.products.get("Acme")


def wrong(value: object) -> Any:
    """Return a value whose type no checker sees."""
    return value


def trigger(**changes: Any) -> Call:
    """Return a call that triggers an event with these changes."""
    return lambda leanbe: leanbe.trigger_all(
        TriggerRequest(events=["idea.created"], changes=Changes(**changes))
    )


#: Each call, and its error.
CALLS: list[tuple[Call, str]] = [
    (lambda leanbe: leanbe.deliveries.list(limit="10"), "limit is '10'. It has to be a whole num"),
    (lambda leanbe: acme(leanbe).ideas.list(limit=True), "limit is True. It has to be a whole num"),
    (lambda leanbe: acme(leanbe).ideas.list(after=5), "after is 5. It has to be the cursor"),
    (lambda leanbe: leanbe.deliveries.list("pending"), "The filter is 'pending'. It has to be a F"),
    (lambda leanbe: leanbe.deliveries.list(Filter(event=wrong(5))), "The event is 5. It has to be"),
    (lambda _: Filter(since=wrong("now")), "since is 'now'. It has to be a datetime"),
    (lambda _: Filter(before=datetime(2030, 1, 1)), "2030-01-01T00:00:00 has no time zone."),  # noqa: DTZ001 - the wrong one
    (lambda leanbe: leanbe.deliveries.get(None), "None names nothing. Give the object itself"),
    (lambda leanbe: leanbe.events.get(None), "None names nothing. Give the object itself"),
    (lambda leanbe: acme(leanbe).ideas.get(5), "5 names nothing. Give the object itself"),
    (lambda leanbe: leanbe.products.get(b"Acme"), "b'Acme' names nothing. Give the object itself"),
    (lambda leanbe: leanbe.products.create(5), "The product's name is 5. It has to be text."),
    (
        lambda leanbe: leanbe.products.create("B", webhook_url=5),
        "The URL is 5. It has to be text, such as http://",
    ),
    (
        lambda leanbe: leanbe.webhooks.set("Acme", "http://127.0.0.1/", headers={"AB": "hush"}),
        'The headers are no pairs of texts. Give a list of names with their values: [("X-E',
    ),
    (trigger(set=["title"]), 'set is [\'title\']. It has to be a dict by path: {"title": "Dark'),
    (trigger(set_json="title=1"), "set_json is 'title=1'. It has to be a dict by path"),
    (trigger(unset="title"), "unset is 'title'. It has to be a list of paths"),
    (trigger(set={1: "x"}), "A path is 1. It has to be text, such as title"),
    (lambda leanbe: leanbe.trigger("idea.created", set=["title"]), "set is ['title']. It has to"),
    (
        lambda leanbe: leanbe.trigger("idea.created", assume={"max_attempts": 3}),
        'max_attempts is 3. It has to be text, such as {"max_attempts": "3"}.',
    ),
    (lambda leanbe: leanbe.trigger_all("idea.created"), "The request is 'idea.created'. It has"),
    (lambda _: TriggerRequest(events="idea.created"), "events is 'idea.created'. It has to be a l"),
    (lambda _: TriggerRequest(events=["a"], times=wrong("2")), "times is '2'. It has to be a whol"),
    (lambda _: TriggerRequest(events=["a"], assume=wrong(["a"])), "assume is ['a']. It has to be"),
    (lambda leanbe: leanbe.faults.add(5), "The fault is 5. It has to be the name of a kind, such"),
    (lambda leanbe: leanbe.faults.add("receiver_fails", times="2"), "times is '2'. It has to be"),
    (lambda leanbe: leanbe.assert_delivered(5), "The event is 5. It has to be a name or a glob"),
    (lambda leanbe: leanbe.assert_delivered("*", times="1"), "times is '1'. It has to be a whole"),
    (
        lambda leanbe: leanbe.deliveries.wait_for("idea.*", timeout_seconds="1"),
        "timeout_seconds is '1'. It has to be a number of seconds.",
    ),
    (lambda leanbe: leanbe.clock.set("2030"), "The instant is '2030'. It has to be a datetime, in"),
    (lambda leanbe: leanbe.prune(older_than=5), "older_than is 5. It has to be a timedelta."),
    (lambda _: Settings(concurrency=wrong("5")), "concurrency is '5'. It has to be a number."),
]


def test_a_wrong_argument_is_named_with_what_it_has_to_be(leanbe: Leanbe) -> None:
    for call, message in CALLS:
        with pytest.raises(InvalidValue) as caught:
            call(leanbe)
        assert str(caught.value).startswith(message)
        assert "hush" not in str(caught.value)


def test_the_right_ones_are_taken(leanbe: Leanbe) -> None:
    assert leanbe.deliveries.list(limit=1) == []
    assert leanbe.prune(older_than=timedelta(days=1)).deliveries == 0
