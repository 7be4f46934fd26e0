"""Synthetic events over the API, and the catalogue of the 22."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.api_client import Api, open_api

pytestmark = pytest.mark.any_database

URL = "http://127.0.0.1:9/hooks"
EVENTS = "/products/Acme/events"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        yield api


def trigger_event(api: Api, **wanted: Any) -> Any:
    answer = api("POST", EVENTS, wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_sample_event_is_recorded_and_owed(api: Api) -> None:
    told = trigger_event(api, event="idea.created")
    assert told["delivery"]["event"] == told["event"]
    assert told["delivery"]["status"] == "pending"
    owed = {**told["event"], "deliveries": [told["delivery"]["_id"]]}
    assert api("GET", f"/events/{told['event']['_id']}").json() == owed
    assert api("GET", f"/deliveries/{told['delivery']['_id']}").json() == told["delivery"]


def test_values_of_any_kind_are_set_by_path(api: Api) -> None:
    changes = {"title": "Dark", "upvotes": 3, "tags": [{"title": "ui"}], "owner.firstName": "Bo"}
    payload = trigger_event(api, event="idea.upVoted", set=changes, unset=["assigned"])["event"][
        "payload"
    ]
    assert (payload["title"], payload["upvotes"], payload["tags"]) == ("Dark", 3, [{"title": "ui"}])
    assert payload["owner"]["firstName"] == "Bo"
    assert "assigned" not in payload


@pytest.mark.parametrize("payload", [None, 1.5, "text", {"a": None}])
def test_a_payload_of_ones_own_is_sent_as_it_is(api: Api, payload: object) -> None:
    assert trigger_event(api, event="okr.created", payload=payload)["event"]["payload"] == payload


def test_an_event_can_go_on_with_the_document_of_another(api: Api) -> None:
    first = trigger_event(api, event="idea.created")
    then = trigger_event(api, event="idea.deleted", sameAs=first["delivery"]["_id"])
    assert then["event"]["payload"]["_id"] == first["event"]["payload"]["_id"]


def test_an_assumption_can_be_of_one_request(api: Api) -> None:
    told = trigger_event(api, event="idea.created", assume={"method": "PUT"})
    assert api.leanbe.events.get(told["event"]["_id"]).method == "PUT"


def test_an_event_without_a_delivery_shows_null(api: Api) -> None:
    api("DELETE", "/products/Acme/webhook")
    assert trigger_event(api, event="idea.created")["delivery"] is None


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"event": "idea.create"},
        {"event": "idea.created", "set": {"titel": "Dark"}},
        {"event": "idea.created", "payload": {"a": 1}, "strict": True},
        {"event": "idea.created", "set": {"title": 5}, "strict": True},
        {"event": "idea.created", "assume": {"method": "GRAB"}},
    ],
)
def test_an_event_that_cannot_be_triggered_is_refused(api: Api, wanted: Any) -> None:
    assert api("POST", EVENTS, wanted).status_code == 422
    assert api("GET", "/events").json()["items"] == []


def test_events_are_listed_the_newest_first_in_pages(api: Api) -> None:
    names = ["idea.created", "idea.updated", "okr.created"]
    for name in names:
        trigger_event(api, event=name)
    first = api("GET", "/events?limit=2").json()
    rest = api("GET", f"/events?limit=2&cursor={first['cursor']}").json()
    assert [each["event"] for each in first["items"] + rest["items"]] == names[::-1]
    ideas = api("GET", "/events?event=idea.*&product=Acme").json()["items"]
    assert [each["event"] for each in ideas] == ["idea.updated", "idea.created"]


def test_the_catalogue_has_the_22_with_schemas_that_their_samples_fit(api: Api) -> None:
    listed = api("GET", "/events/catalogue").json()["items"]
    assert [each["name"] for each in listed] == list(EVENT_NAMES)
    for name in EVENT_NAMES:
        schema = api("GET", f"/events/catalogue/{name}/schema?product=Acme").json()
        jsonschema_rs.validate(schema, trigger_event(api, event=name)["event"]["payload"])
