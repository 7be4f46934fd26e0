"""Filters on what deliveries sent and what came back, and the numbers that they select."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter import Filter, Job
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.library.deliveries import delivery_filter
from tests.support.api_client import Api, open_api
from tests.support.scripted_transport import ScriptedTransport

URL = "http://a.test/"
NO, SORRY = Answer(status=404, reason="No", body=b""), Answer(status=503, reason="No", body=b"")

#: The deliveries of the fixture, the oldest first.
MADE = ["idea.created", "okr.created", "customer.created", "okr.created", "idea.updated"]


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """Five deliveries: refused twice, failed by a fault, redelivered by a job, never attempted."""
    transport = ScriptedTransport(NO, SORRY)
    with open_api(database_url, transport=transport, clock="manual") as api:
        leanbe = api.leanbe
        acme = leanbe.products.create("Acme", webhook_url=URL)
        idea = acme.ideas.create(title='Dark "mode" für alle')
        leanbe.deliver()
        leanbe.clock.advance(seconds=1)
        leanbe.trigger("okr.created")
        leanbe.faults.receiver_fails(how="status:500", event="customer.*")
        leanbe.trigger("customer.created")
        leanbe.clock.advance(seconds=1)
        leanbe.deliveries.redeliver(Job(name="again", which=Filter(event="okr.*")))
        leanbe.clock.advance(seconds=1)
        acme.ideas.update(idea, title="Light mode 100%")
        yield api


def selected(api: Api, **words: str) -> list[int]:
    """Return the numbers of the selected deliveries, however the list is asked for."""
    all_ids = [each["_id"] for each in reversed(api("GET", "/deliveries").json()["items"])]
    assert len(all_ids) == len(MADE)
    whole = api("GET", "/deliveries", params=words).json()["items"]
    rows = api("GET", "/deliveries", params={**words, "view": "rows"}).json()["items"]
    assert [each["_id"] for each in whole] == [each["_id"] for each in rows]
    count = api("GET", "/deliveries/count", params=words).json()
    assert count["count"] == sum(count["byStatus"].values()) == len(whole)
    return [all_ids.index(each["_id"]) for each in reversed(whole)]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ({"outcome": "refused"}, [0, 1, 2]),
        ({"outcome": "delivered"}, [3]),
        ({"answer": "5xx"}, [1, 2]),
        ({"answer": "404"}, [0]),
        ({"answer": "4xx"}, [0]),
        ({"fault": "any"}, [2]),
        ({"fault": "receiver_fails"}, [2]),
        ({"fault": "receiver_fails:status:500"}, [2]),
        ({"fault": "receiver_fails:timeout"}, []),
        ({"fault": "wrong_secret"}, []),
        ({"job": "again"}, [3]),
        ({"job": "other"}, []),
        ({"before": "2s"}, [0]),
        ({"before": "1500ms", "since": "2s"}, [1, 2]),
        ({"q": 'dark "MODE"'}, [0]),
        ({"q": "für"}, [0]),
        ({"q": "mode"}, [0, 4]),
        ({"q": "100%"}, [4]),
        ({"q": "1%"}, []),
        ({"q": "okr.created"}, [1, 3]),
        ({"q": "mode", "answer": "4xx", "status": "pending", "event": "idea.*"}, [0]),
    ],
    ids=json.dumps,
)
def test_lists_rows_and_counts_select_the_same(
    api: Api, words: dict[str, str], numbers: list[int]
) -> None:
    assert selected(api, **words) == numbers


def test_a_filter_is_about_the_last_attempt_and_a_whole_fault() -> None:
    with open_api(transport=ScriptedTransport(SORRY, NO), clock="manual") as api:
        api.leanbe.products.create("Acme", webhook_url=URL)
        api.leanbe.faults.receiver_fails_after_call()
        api.leanbe.trigger("okr.created")

        def numbers(*filters: str) -> list[int]:
            return [len(api("GET", f"/deliveries?{each}").json()["items"]) for each in filters]

        first = ("outcome=unknown", "fault=receiver_fails_after_call")
        last = ("outcome=refused", "answer=404")
        assert numbers(*first, *last, "fault=receiver_fails") == [1, 1, 0, 0, 0]
        api.leanbe.clock.advance(to="next")
        assert numbers(*first, *last, "fault=any") == [0, 0, 1, 1, 0]


def test_an_id_finds_its_delivery_and_its_document(api: Api) -> None:
    first = api("GET", "/deliveries?view=rows").json()["items"][-1]
    assert selected(api, about=first["about"]["_id"]) == [0, 4]
    assert selected(api, about="0" * 24) == []
    assert selected(api, q=first["_id"]) == selected(api, q=first["event"]["_id"].upper()) == [0]
    assert 0 in selected(api, q=first["_id"][-6:])


def test_a_search_says_that_it_looked_at_the_newest_only(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [api("GET", f"/deliveries{path}?q=mode").json() for path in ("", "/count")]
    assert [each["searched"] for each in answers] == [None, None]
    assert "searched" not in api("GET", "/deliveries").json()
    oldest = delivery_filter._oldest_searched().offset(1)
    monkeypatch.setattr(delivery_filter, "_oldest_searched", lambda: oldest)
    monkeypatch.setattr(delivery_filter, "MOST_SEARCHED", 2)
    assert selected(api, q="mode") == [4]
    assert api("GET", "/deliveries/count?q=mode").json()["searched"] == 2


def test_counting_stops(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api("GET", "/deliveries/count").json() == {
        "count": 5,
        "byStatus": {"pending": 4, "delivered": 1, "exhausted": 0, "cancelled": 0},
        "more": False,
    }
    monkeypatch.setattr(delivery_filter, "MOST_COUNTED", 3)
    stopped = api("GET", "/deliveries/count").json()
    assert (stopped["count"], stopped["more"]) == (3, True)


@pytest.mark.parametrize(
    "words", ["outcome=no", "answer=600", "answer=5x", "fault=no", "q=", "about=", "before=x"]
)
def test_a_filter_that_selects_nothing_at_all_is_refused(api: Api, words: str) -> None:
    for path in ("/deliveries", "/deliveries/count"):
        assert api("GET", f"{path}?{words}").status_code == 422


def test_a_dry_run_counts_a_filters_deliveries_before_they_are_redelivered_or_discarded(
    api: Api,
) -> None:
    wanted: dict[str, Any] = {"outcome": "refused", "job": "second"}
    planned = api("POST", "/deliveries/redeliver/dry-run?limit=1", wanted).json()
    assert (planned["count"], len(planned["items"])) == (3, 1)
    assert api("POST", "/deliveries/redeliver", wanted).json()["made"] == 3
    other = api("POST", "/deliveries/redeliver", {"outcome": "delivered", "job": "second"})
    assert other.status_code == 409
    of_job = {"ofJob": "second"}
    assert api("POST", "/deliveries/redeliver/dry-run", of_job).json()["count"] == 3
    first = api("POST", "/deliveries/discard/dry-run?limit=2", {"job": "second"}).json()
    rest = api("POST", f"/deliveries/discard/dry-run?cursor={first['cursor']}", {"job": "second"})
    assert (first["count"], len(first["items"]), len(rest.json()["items"])) == (3, 2, 1)
    gone = api("POST", "/deliveries/discard", {"job": "second"}).json()["items"]
    both = first["items"] + rest.json()["items"]
    assert {each["_id"] for each in gone} == {each["_id"] for each in both}
    named = {"ids": [gone[0]["_id"]]}
    assert api("POST", "/deliveries/discard/dry-run", named).status_code == 409
    twice = {"before": "1h", "olderThan": "1h"}
    assert api("POST", "/deliveries/discard", twice).status_code == 422
