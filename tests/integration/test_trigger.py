"""Synthetic events: exactly those that were named, of one document, with the caller's changes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from itertools import product as product_of
from typing import Any

import pytest

from leanbe_emitter import (
    Changes,
    Conflict,
    InvalidValue,
    Leanbe,
    ManualClock,
    NotFound,
    PayloadTooDeep,
    PayloadTooLarge,
    Product,
    Triggered,
    TriggerRequest,
)
from leanbe_emitter.delivery.watching import StartedAttempt, Watcher
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.stringify import stringify
from tests.integration.conftest import SECRET
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.node import Node

pytestmark = pytest.mark.any_database

TEXT = 'Ärger mit "Größe" — 日本 😀 \\ </script>\u2028\u007f'


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.started() as node:
        yield node


def ids(triggered: list[Triggered]) -> list[str]:
    """Return the ids of the documents that the events are of."""
    return [each.event.payload["_id"] for each in triggered]


def test_a_triggered_event_was_attempted_when_the_call_returns(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    delivery = leanbe.trigger("idea.created")
    assert delivery.delivered
    assert delivery.outcome == "delivered"
    assert delivery.next_due_at is None
    assert receiver.bodies == [delivery.event.body] == [delivery.attempts[0].request_body]
    assert delivery.event.product_id == product.id


@pytest.mark.node
def test_all_22_events_verify_with_the_article_formula_whatever_their_text(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver, node: Node
) -> None:
    for name in EVENT_NAMES:
        path = "firstName" if name.startswith("customer.") else "title"
        leanbe.trigger(name, product=product, set={path: TEXT})
    assert [request.verified(SECRET).event for request in receiver.requests] == list(EVENT_NAMES)
    for body in receiver.bodies:
        assert node.verifies(body.decode(), SECRET)
        assert TEXT in json.loads(body)["payload"].values()


#: Each is spelled, ordered or escaped in a way of its own.
ODD_PAYLOADS: list[Any] = [
    None,
    TEXT,
    [-0.0, 1e21, 2**53, 0.1, "\ud800", []],
    {"b": 1, "10": {"payload": [[[{}]]]}, "2": '"event":', "event": {"triggeredAt": 5e-324}},
]


@pytest.mark.usefixtures("product")
def test_the_text_of_a_triggered_event_is_the_text_of_its_document(leanbe: Leanbe) -> None:
    for payload, pretty in product_of(ODD_PAYLOADS, ["true", "false"]):
        changes, assume = Changes(payload=payload), {"pretty_body": pretty}
        request = TriggerRequest(events=["idea.created"], changes=changes, assume=assume)
        (triggered,) = leanbe.trigger_all(request)
        assert triggered.text() == stringify(triggered.document())
        assert triggered.require_delivery().attempts


@pytest.mark.usefixtures("product")
def test_exactly_the_named_events_are_recorded_in_their_order(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    names = ["idea.created", "idea.upVoted", "idea.deleted"]
    triggered = leanbe.trigger_all(TriggerRequest(events=names))
    assert [each.event.name for each in triggered] == names
    assert [each.event.sequence for each in triggered] == [1, 2, 3]
    assert [request.verified(SECRET).event for request in receiver.requests] == names
    assert len(leanbe.deliveries.list()) == 3


@pytest.mark.usefixtures("product")
def test_names_of_one_call_speak_of_one_document_and_each_time_of_another(leanbe: Leanbe) -> None:
    triggered = leanbe.trigger_all(
        TriggerRequest(events=["idea.created", "idea.promoted"], times=2)
    )
    first, same, second, same_again = ids(triggered)
    assert first == same != second == same_again


@pytest.mark.usefixtures("product")
def test_same_as_goes_on_with_the_document_of_an_earlier_delivery(leanbe: Leanbe) -> None:
    created = leanbe.trigger("idea.created", set={"title": "Dark mode"})
    wanted = TriggerRequest(events=["idea.updated", "idea.deleted"], same_as=created.id[-6:])
    for each in leanbe.trigger_all(wanted):
        assert each.event.payload["_id"] == created.event.payload["_id"]
        assert each.event.payload["createdAt"] == created.event.payload["createdAt"]


def test_same_as_implies_the_product(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.products.create("Other", webhook_url=receiver.url)
    created = leanbe.trigger("idea.created", product=product)
    (updated,) = leanbe.trigger_all(TriggerRequest(events=["idea.updated"], same_as=created))
    assert updated.event.product_id == product.id


@pytest.mark.usefixtures("product")
def test_same_as_a_delivery_that_is_not_there_is_not_found(leanbe: Leanbe) -> None:
    with pytest.raises(NotFound, match="no delivery"):
        leanbe.trigger_all(TriggerRequest(events=["idea.updated"], same_as="abcdef"))


@pytest.mark.usefixtures("product")
def test_changes_are_made_to_the_sample(leanbe: Leanbe) -> None:
    changes = Changes(
        set={"title": TEXT, "tags[0].title": "ui"},
        set_json={"upvotes": 7, "archived": True},
        unset=["description"],
    )
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.created"], changes=changes))
    payload = triggered.event.payload
    assert (payload["title"], payload["tags"][0]["title"]) == (TEXT, "ui")
    assert (payload["upvotes"], payload["archived"]) == (7, True)
    assert "description" not in payload


@pytest.mark.parametrize(
    "payload",
    [None, [], [1, "two", {"three": None}], "text", 5, True, {}, {"b": 1, "10": 2, "2": 3}],
)
@pytest.mark.usefixtures("product")
def test_any_json_value_can_be_the_payload(
    leanbe: Leanbe, receiver: LoopbackReceiver, payload: Any
) -> None:
    delivery = leanbe.trigger("idea.created", payload=payload)
    assert delivery.event.payload == payload
    assert receiver.requests[0].verified(SECRET).payload == payload
    assert delivery.document()["event"]["payload"] == payload


@pytest.mark.usefixtures("product")
def test_a_text_that_databases_cannot_hold_can_be_in_a_payload(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    text = "nul \0 half \ud83d"
    leanbe.trigger("idea.created", set={"title": text})
    assert b"nul \\u0000 half \\ud83d" in receiver.bodies[0]
    assert receiver.requests[0].verified(SECRET).payload["title"] == text


@pytest.mark.usefixtures("product")
def test_a_payload_that_is_no_object_has_no_paths(leanbe: Leanbe) -> None:
    kinds = {"null": None, "a list": [1], "a text": "x", "a number": 1.5, "a truth value": True}
    for kind, payload in kinds.items():
        with pytest.raises(InvalidValue, match=f"payload is {kind}: set and unset need") as refused:
            leanbe.trigger("idea.created", payload=payload, set={"title": "x"})
        assert "without set and unset" in refused.value.hint
    leanbe.trigger("idea.created", payload=None)
    with pytest.raises(InvalidValue, match="no object"):
        leanbe.trigger_all(
            TriggerRequest(events=["idea.updated"], same_as=leanbe.deliveries.last())
        )


@pytest.mark.usefixtures("product")
def test_a_payload_that_is_given_is_changed_by_the_events_paths_and_no_others(
    leanbe: Leanbe,
) -> None:
    given = {"title": "Dark", "mood": "fine"}
    made = leanbe.trigger("idea.created", payload=given, set={"title": "Light"})
    assert made.event.payload == {"title": "Light", "mood": "fine"}
    with pytest.raises(InvalidValue) as refused:
        leanbe.trigger("idea.created", payload=given, set={"mood": "better"})
    assert refused.value.message == (
        "The given payload cannot be changed: idea.created has no path 'mood'."
    )
    assert refused.value.hint.startswith("Change the payload before you give it. ")
    with pytest.raises(InvalidValue) as refused:
        leanbe.trigger("idea.created", payload=given, set={"upvotes": "3"})
    typed = "Change the payload before you give it. Use --set-json upvotes=3."
    assert refused.value.hints.command == typed
    with pytest.raises(InvalidValue, match=r"^idea\.created has no path 'mood'"):
        leanbe.trigger("idea.created", set={"mood": "better"})


@pytest.mark.usefixtures("product")
def test_only_a_strict_payload_has_to_match_the_schema(leanbe: Leanbe) -> None:
    leanbe.trigger("idea.created", payload={"title": 5})
    strict = Changes(payload={"title": 5}, is_strict=True)
    with pytest.raises(InvalidValue, match=r"does not match idea\.created"):
        leanbe.trigger_all(TriggerRequest(events=["idea.created"], changes=strict))
    sample = TriggerRequest(events=EVENT_NAMES, changes=Changes(is_strict=True))
    assert len(leanbe.trigger_all(sample, deliver=False)) == 22
    assert len(leanbe.deliveries.list()) == 23


@pytest.mark.usefixtures("product")
def test_a_payload_beyond_the_limits_is_refused_and_not_recorded(leanbe: Leanbe) -> None:
    deep: Any = "bottom"
    for _ in range(200):
        deep = [deep]
    leanbe.trigger("idea.created", payload=deep)
    with pytest.raises(PayloadTooDeep):
        leanbe.trigger("idea.created", payload=[deep])
    leanbe.trigger("idea.created", payload="é" * (2**19 - 1))
    with pytest.raises(PayloadTooLarge):
        leanbe.trigger("idea.created", payload="é" * 2**19)
    assert len(leanbe.deliveries.list()) == 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (TriggerRequest(events=["idea.craeted"]), "Did you mean idea.created"),
        (TriggerRequest(events=["idea.created", "nonsense"]), "nonsense"),
        (
            TriggerRequest(events=["idea.created"], changes=Changes(set={"titel": "x"})),
            "titel.*title",
        ),
        (TriggerRequest(events=["idea.created"], assume={"metod": "PUT"}), "metod.*method"),
        (TriggerRequest(events=[]), "No event"),
        (TriggerRequest(events=["idea.created"], times=0), "No event"),
    ],
)
@pytest.mark.usefixtures("product")
def test_a_wrong_request_is_refused_before_anything_is_recorded(
    leanbe: Leanbe, wanted: TriggerRequest, words: str
) -> None:
    for call in (leanbe.trigger_all, leanbe.dry_run):
        with pytest.raises(InvalidValue, match=words):
            call(wanted)
    assert leanbe.deliveries.list() == []
    assert leanbe.trigger("idea.created").event.sequence == 1


def test_without_a_url_an_event_is_recorded_without_a_delivery(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme")
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.created"]))
    assert triggered.delivery is None
    assert "signature" not in json.loads(triggered.event.body)
    with pytest.raises(Conflict, match="it has no delivery"):
        leanbe.trigger("idea.created")


@pytest.mark.usefixtures("product")
def test_an_event_that_the_product_does_not_want_gets_no_delivery(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    leanbe.assumptions.set("events", "idea.*,okr.created")
    triggered = leanbe.trigger_all(
        TriggerRequest(events=["idea.created", "okr.deleted", "okr.created"])
    )
    assert [each.delivery is not None for each in triggered] == [True, False, True]
    assert len(receiver.requests) == 2


@pytest.mark.usefixtures("product")
def test_a_date_far_ahead_in_a_payload_does_not_drag_triggered_at_along(leanbe: Leanbe) -> None:
    ahead = "2999-01-01T00:00:00.000Z"
    soon = datetime.now(UTC) + timedelta(minutes=1)
    far = leanbe.trigger("idea.created", set={"updatedAt": ahead, "createdAt": ahead})
    given = leanbe.trigger("idea.created", payload=far.event.payload)
    goes_on = leanbe.trigger_all(
        TriggerRequest(events=["idea.updated", "idea.deleted", "idea.upVoted"], same_as=far)
    )
    events = [far.event, given.event, *(each.event for each in goes_on)]
    assert all(event.triggered_at < soon for event in events)


def test_triggered_at_increases_though_the_clock_stands_still_or_goes_back(
    db: str, receiver: LoopbackReceiver
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = ManualClock(start)
    with Leanbe(db, clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        first = leanbe.trigger_all(TriggerRequest(events=["idea.created", "idea.updated"]))
        clock.set(start - timedelta(days=1))
        second = leanbe.trigger_all(TriggerRequest(events=["idea.deleted"]))
        instants = [each.event.triggered_at for each in (*first, *second)]
        steps = [later - earlier for earlier, later in pairwise(instants)]
        assert steps == [timedelta(milliseconds=1)] * 2
        for each in first:
            assert each.event.payload["updatedAt"] < json.loads(each.event.body)["triggeredAt"]


def test_an_attempt_begins_by_the_clock_though_instants_of_events_run_ahead(
    db: str, receiver: LoopbackReceiver
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with Leanbe(db, clock=ManualClock(start)) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        triggered = leanbe.trigger_all(TriggerRequest(events=["idea.created"], times=3))
        made = [each.delivery.attempts[0].started_at for each in triggered if each.delivery]
    assert made == [start] * 3
    assert triggered[-1].event.triggered_at > start


def test_the_same_seed_and_clock_give_the_same_bytes(receiver: LoopbackReceiver) -> None:
    bodies = []
    for _ in range(2):
        with Leanbe(":memory:", seed=7, clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC))) as one:
            one.products.create("Acme", webhook_url=receiver.url)
            bodies.append(
                [each.event.body for each in one.trigger_all(TriggerRequest(events=EVENT_NAMES))]
            )
    assert bodies[0] == bodies[1]


@pytest.mark.usefixtures("product")
def test_several_events_at_once_are_refused_with_the_call_that_takes_them(leanbe: Leanbe) -> None:
    for several in (["idea.created", "idea.updated"], ("idea.created",), None):
        with pytest.raises(InvalidValue, match="not the name of one event") as raised:
            leanbe.trigger(several)  # type: ignore[arg-type]
        assert "trigger_all(TriggerRequest(" in raised.value.hint


def test_a_rehearsal_shows_the_requests_and_changes_nothing(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.webhooks.set(product, receiver.url, headers=[("X-Environment", "test")])
    wanted = TriggerRequest(
        events=["idea.created", "idea.updated"], changes=Changes(set={"title": TEXT})
    )
    dry_runs = leanbe.dry_run(wanted)
    assert leanbe.deliveries.list() == []
    assert receiver.requests == []
    triggered = leanbe.trigger_all(wanted)
    assert [each.event.sequence for each in triggered] == [1, 2]
    for one, other in zip(dry_runs, triggered, strict=True):
        assert other.delivery is not None
        (attempt,) = other.delivery.attempts
        assert (one.event, one.method, one.url) == (other.event.name, "POST", receiver.url)
        assert one.headers == attempt.request_headers
        assert len(one.body) == len(attempt.request_body)


def test_a_rehearsals_document_masks_what_the_product_set(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.webhooks.set(product, receiver.url, headers=[("Authorization", "Bearer t0ken")])
    assume = {"signature_location": "header"}
    (dry_runs,) = leanbe.dry_run(TriggerRequest(events=["idea.created"], assume=assume))
    document = dry_runs.document()
    assert document["body"].encode() == dry_runs.body
    signature, own = document["headers"][4:]
    assert signature == list(dry_runs.headers[4])
    assert own == ["Authorization", "********"]
    assert dry_runs.headers[5] == ("Authorization", "Bearer t0ken")


def test_a_rehearsal_has_no_url_where_nothing_would_be_owed(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", assume={"events": "okr.*"})
    (homeless,) = leanbe.dry_run(TriggerRequest(events=["okr.created"]))
    leanbe.webhooks.set("Acme", "http://127.0.0.1:9/")
    with_url, unwanted = leanbe.dry_run(TriggerRequest(events=["okr.created", "idea.created"]))
    assert [each.url for each in (homeless, with_url, unwanted)] == [
        None,
        "http://127.0.0.1:9/",
        None,
    ]


@pytest.mark.usefixtures("product")
def test_a_rehearsed_body_verifies_and_its_times_increase(leanbe: Leanbe) -> None:
    leanbe.trigger_all(TriggerRequest(events=["idea.created"], times=50), deliver=False)
    bodies = [json.loads(each.body) for each in leanbe.dry_run(TriggerRequest(events=EVENT_NAMES))]
    instants = [body["triggeredAt"] for body in bodies]
    assert instants == sorted(set(instants))
    assert instants[0] > json.loads(leanbe.deliveries.last().event.body)["triggeredAt"]


def test_events_of_a_product_deleted_meanwhile_have_no_delivery_any_more(
    database_url: str, receiver: LoopbackReceiver
) -> None:
    class Deleter(Watcher):
        def started(self, attempt: StartedAttempt) -> None:
            assert attempt.number == 1
            with Leanbe(database_url) as other:
                other.products.delete("Acme")

    with Leanbe(database_url) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        (triggered,) = leanbe.trigger_all(
            TriggerRequest(events=["idea.created"]), watcher=Deleter()
        )
        assert triggered.event.name == "idea.created"
        assert triggered.delivery is None
