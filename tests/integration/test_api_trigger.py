"""Several synthetic events at once over the API, and those that are only shown."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter import verify
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.api_client import Api, open_api

pytestmark = pytest.mark.any_database

SECRET = "whsec_test"
WEBHOOK = {
    "url": "http://127.0.0.1:9/hooks",
    "secret": SECRET,
    "headers": {"Authorization": "Bearer hush"},
}
TRIGGER = "/products/Acme/trigger"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme", "webhook": WEBHOOK})
        yield api


def trigger_event(api: Api, **wanted: Any) -> list[Any]:
    answer = api("POST", TRIGGER, wanted)
    assert answer.status_code == 201, answer.text
    return list(answer.json()["items"])


def names(told: list[Any]) -> list[str]:
    return [each["event"]["event"] for each in told]


def test_several_events_speak_of_one_document_and_each_time_of_another(api: Api) -> None:
    told = trigger_event(
        api, events=["idea.created", "idea.upVoted"], times=2, set={"title": "Dark"}
    )
    assert names(told) == ["idea.created", "idea.upVoted"] * 2
    ideas = [each["event"]["payload"]["_id"] for each in told]
    assert ideas[0] == ideas[1] != ideas[2] == ideas[3]
    assert {each["event"]["payload"]["title"] for each in told} == {"Dark"}
    assert {each["delivery"]["status"] for each in told} == {"pending"}


def test_all_22_are_raised_as_one_story(api: Api) -> None:
    told = trigger_event(api, all=True)
    assert sorted(names(told)) == sorted(EVENT_NAMES)
    assert names(told).index("idea.upVoted") < names(told).index("idea.deleted")


def test_one_cursor_serves_to_wait_for_several_triggered_events(api: Api) -> None:
    answer = api("POST", TRIGGER, {"events": ["okr.created", "okr.updated"]})
    wanted = {"after": answer.headers["Leanbe-Emitter-Cursor"], "status": "pending", "count": 2}
    # On PostgreSQL they can be seen when no transaction of other tests can precede them any more.
    found = api("POST", "/deliveries/wait", {**wanted, "timeout": 30}).json()["items"]
    delivery_ids = [each["delivery"]["_id"] for each in answer.json()["items"]]
    assert [each["_id"] for each in found] == delivery_ids[::-1]


def test_a_dry_run_shows_the_very_requests_and_stores_nothing(api: Api) -> None:
    shown = api("POST", f"{TRIGGER}/dry-run", {"events": ["idea.created", "okr.created"]})
    first, second = shown.json()["items"]
    assert (first["event"], second["event"]) == ("idea.created", "okr.created")
    assert (first["method"], first["url"]) == ("POST", WEBHOOK["url"])
    assert verify(first["body"].encode(), SECRET).event == "idea.created"
    assert json.loads(second["body"])["event"] == "okr.created"
    assert api("GET", "/events").json()["items"] == []


def test_a_dry_run_masks_what_may_be_a_secret(api: Api) -> None:
    (shown,) = api("POST", f"{TRIGGER}/dry-run", {"events": ["idea.created"]}).json()["items"]
    assert ["Authorization", "********"] in shown["headers"]
    assert "hush" not in json.dumps(shown)


@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/dry-run"])
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"events": []},
        {"all": False},
        {"events": ["idea.created"], "all": True},
        {"events": ["idea.create"]},
        {"events": ["idea.created"], "times": 0},
        {"events": ["idea.created"], "times": 101},
        {"event": "idea.created"},
        {"events": ["idea.created"], "dryRun": True},
    ],
)
def test_a_meaningless_trigger_is_refused_and_records_nothing(
    api: Api, path: str, wanted: Any
) -> None:
    assert api("POST", path, wanted).status_code == 422
    assert api("GET", "/events").json()["items"] == []


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (5, "given payload is a number: set and unset"),
        ({"mood": 1}, "The given payload cannot be changed"),
    ],
)
@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/dry-run", "/products/Acme/events"])
def test_a_given_payload_that_cannot_be_changed_is_named_in_the_refusal(
    api: Api, path: str, payload: Any, said: str
) -> None:
    named = {"event": "okr.created"} if path.endswith("/events") else {"events": ["okr.created"]}
    refused = api("POST", path, {**named, "payload": payload, "set": {"mood": 2}})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert said in refused.json()["detail"]


@pytest.mark.parametrize(
    "content",
    [
        '{"event": "idea.created", "set": {}, "event": "idea.updated"}',
        '{"event": "idea.created", "payload": {"tags": [{"event": 1, "event": 1}]}}',
    ],
)
def test_a_member_that_is_there_twice_is_refused_by_its_name(api: Api, content: str) -> None:
    refused = api("POST", "/products/Acme/events", content=content)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert refused.json()["detail"] == "'event' is there twice."
    assert api("GET", "/events").json()["items"] == []


@pytest.mark.parametrize("path", [TRIGGER, f"{TRIGGER}/dry-run", "/products/Acme/events"])
def test_a_number_that_json_has_no_form_for_is_refused(api: Api, path: str) -> None:
    events = '"event": "idea.created"' if path.endswith("/events") else '"events": ["idea.created"]'
    content = f'{{{events}, "set": {{"upvotes": 1e400}}}}'
    headers = {"Content-Type": "application/json"}
    refused = api("POST", path, content=content, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "'1e400' is no finite number."
