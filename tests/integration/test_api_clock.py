"""The clock over the API: shown, set and moved on, with all that falls due on the way."""

import re
from collections.abc import Iterator

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.server.schemas.json_schema import INSTANT
from leanbe_emitter.storage.queries.journal import Cursor
from tests.support.api_client import Api, application, open_api
from tests.support.concurrency import call_at_once
from tests.support.scripted_transport import ScriptedTransport

BEGINNING = "2026-01-01T00:00:00.000Z"
URL = "http://a.test/"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with (
        Leanbe(database_url, clock="manual", transport=ScriptedTransport()) as leanbe,
        application(leanbe) as app,
    ):
        api = Api(leanbe, app)
        api("PUT", "/clock", {"now": BEGINNING})
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        yield api


def test_a_manual_clock_stands_where_it_was_set(api: Api) -> None:
    standing = {"kind": "manual", "now": BEGINNING}
    assert api("GET", "/clock").json() == {**standing, "next": None}
    assert api("GET", "/info").json()["clock"] == standing


@pytest.mark.parametrize(
    "given", ["2030-06-01T00:00:00Z", "2030-06-01T02:00:00.0009+02:00", "2030-06-01t00:00:00z"]
)
def test_it_is_set_by_any_form_of_rfc_3339(api: Api, given: str) -> None:
    assert re.search(INSTANT["pattern"], given)
    assert api("PUT", "/clock", {"now": given}).json()["now"] == "2030-06-01T00:00:00.000Z"


def test_timestamps_follow_it(api: Api) -> None:
    assert api("GET", "/products/Acme").json()["createdAt"] == BEGINNING


def test_advancing_answers_with_the_attempts_in_their_order(api: Api) -> None:
    api("POST", "/faults", {"kind": "receiver_fails", "how": "status:503", "times": 2})
    delivery = api("POST", "/products/Acme/webhook/test").json()["delivery"]["_id"]
    advanced = api("POST", "/clock/advance", {"seconds": 3600})
    made = advanced.json()
    behind = api.leanbe.journal.read_all(Cursor.parse(advanced.headers["Leanbe-Emitter-Cursor"]))
    assert [each.made() for each in behind] == made["attempts"]
    assert made["now"] == "2026-01-01T01:00:00.000Z"
    told = [(each["delivery"], each["number"], each["startedAt"]) for each in made["attempts"]]
    assert told == [
        (delivery, 1, BEGINNING),
        (delivery, 2, "2026-01-01T00:00:05.000Z"),
        (delivery, 3, "2026-01-01T00:00:35.000Z"),
    ]
    assert [each["outcome"] for each in made["attempts"]] == ["refused", "refused", "delivered"]


def test_ways_at_the_same_time_add_up(api: Api) -> None:
    calls = [lambda: api("POST", "/clock/advance", {"seconds": 600})] * 4
    assert {answer.status_code for answer in call_at_once(*calls)} == {200}  # type: ignore[attr-defined]
    assert api("GET", "/clock").json()["now"] == "2026-01-01T00:40:00.000Z"


def test_a_header_that_the_product_set_is_masked_in_every_answer_with_attempts(api: Api) -> None:
    hook = {"url": URL, "headers": {"Authorization": "Bearer t0ken"}}
    api("PUT", "/products/Acme/webhook", hook)
    delivery = api("POST", "/products/Acme/webhook/test").json()["delivery"]["_id"]
    answers = [
        api("POST", "/clock/advance", {"seconds": 1}),
        api("GET", f"/deliveries/{delivery}"),
        api("GET", "/deliveries"),
        api("POST", "/deliveries/wait", {"count": 1, "timeout": 0}),
    ]
    for answer in answers:
        assert '["Authorization","********"]' in answer.text.replace(" ", "")
        assert "t0ken" not in answer.text
    (attempt,) = api.leanbe.deliveries.get(delivery).attempts
    assert attempt.request_headers[-1] == ("Authorization", "Bearer t0ken")


def test_it_runs_until_no_delivery_is_pending(api: Api) -> None:
    api("POST", "/faults", {"kind": "receiver_fails", "times": 9})
    api("POST", "/products/Acme/webhook/test")
    assert len(api("POST", "/clock/run-until-settled").json()["attempts"]) == 5
    assert api.leanbe.deliveries.last().status == "exhausted"
    assert api("POST", "/clock/run-until-settled").json()["attempts"] == []


@pytest.mark.parametrize("way", [0, -1, "3600", 1e300, None])
def test_a_way_that_does_not_lead_forward_is_refused(api: Api, way: object) -> None:
    assert api("POST", "/clock/advance", {"seconds": way}).status_code == 422
    assert api("GET", "/clock").json()["now"] == BEGINNING


def test_an_instant_that_is_none_is_refused(api: Api) -> None:
    assert api("PUT", "/clock", {"now": "tomorrow"}).status_code == 422


@pytest.mark.parametrize("year", ["0000", "0001", "1970", "9000", "9999"])
def test_an_instant_out_of_the_range_is_refused_as_the_document_says(api: Api, year: str) -> None:
    now = f"{year}-12-31T23:59:59.999Z"
    refused = api("PUT", "/clock", {"now": now})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert refused.json()["detail"] == f"'{now}' is out of range."
    assert refused.json()["hint"] == "Use a year from 1971 to 2105, in UTC."
    assert not re.search(INSTANT["pattern"], now)
    assert api("GET", "/clock").json()["now"] == BEGINNING


def test_from_the_last_instant_on_no_way_leads_forward(api: Api) -> None:
    last = "2105-12-31T23:59:59.999Z"
    assert re.search(INSTANT["pattern"], last)
    assert api("PUT", "/clock", {"now": last}).status_code == 200
    assert api("POST", "/products/Acme/webhook/test").status_code < 300
    refused = api("POST", "/clock/advance", {"seconds": 3600})
    assert (refused.status_code, "2105" in refused.json()["hint"]) == (422, True)


def test_a_wait_in_vain_for_what_is_tried_again_says_when(api: Api) -> None:
    api("POST", "/faults", {"kind": "receiver_fails", "how": "status:503"})
    api("POST", "/products/Acme/webhook/test")
    api.leanbe.deliver()
    waited = api("POST", "/deliveries/wait", {"product": "Acme", "timeout": 0})
    due = api.leanbe.deliveries.last().document()["nextDueAt"]
    assert waited.status_code == 408
    assert waited.json()["hint"].startswith("customer.created  …")
    standing = f"; attempt 2 is due at {due}, and it is {BEGINNING}. The clock is manual: POST"
    assert standing in waited.json()["hint"]
    assert "clock/advance" in waited.json()["hint"]
    assert "/explain" not in waited.json()["hint"]


def test_the_machines_clock_is_not_moved() -> None:
    with open_api() as api:
        assert api("GET", "/clock").json()["kind"] == "system"
        refused = [
            api("PUT", "/clock", {"now": BEGINNING}),
            api("POST", "/clock/advance", {"seconds": 1}),
            api("POST", "/clock/run-until-settled"),
        ]
    assert [each.status_code for each in refused] == [409] * 3
    begins = "Make the clock manual: start a server with --clock manual"
    assert all(each.json()["hint"].startswith(begins) for each in refused)
