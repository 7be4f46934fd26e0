"""Deliveries as rows over the API: short items, compressed, with a cursor to go on from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from leanbe_emitter import Leanbe, ManualClock, TriggerRequest
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.storage.queries.journal import START, Cursor
from tests.support.api_client import Api, open_api
from tests.support.scripted_transport import ScriptedTransport

URL = "http://127.0.0.1:8000/hooks/leanbe"
NO = Answer(status=503, reason="No", body=b"not now")
#: Limit for 200 rows as they are sent, in bytes.
MOST_BYTES = 60_000


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url, transport=ScriptedTransport(NO), clock="manual") as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        yield api


def test_a_row_says_of_a_delivery_what_the_whole_delivery_says(api: Api) -> None:
    api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
    api("POST", "/faults", {"kind": "receiver_fails", "how": "timeout", "times": 2})
    api.leanbe.deliver()
    api.leanbe.clock.advance(seconds=5)
    api("POST", "/products/Acme/events", {"event": "customer.created"})
    api("POST", "/deliveries/redeliver", {"event": "idea.created", "job": "again"})
    rows = api("GET", "/deliveries?view=rows").json()["items"]
    for row in rows:
        whole = api("GET", f"/deliveries/{row['_id']}").json()
        event, attempts = whole.pop("event"), whole.pop("attempts")
        last = attempts[-1] if attempts else {}
        payload = event.pop("payload")
        name = payload.get("title") or f"{payload['firstName']} {payload['lastName']}"
        kind = event["event"].partition(".")[0]
        assert row == {
            **whole,
            "product": event.pop("product"),
            "event": event,
            "about": {"kind": kind, "_id": payload["_id"], "text": name},
            "attempts": len(attempts),
            "outcome": last.get("outcome"),
            "answer": (last.get("answer") or {}).get("status"),
            "durationMs": last.get("durationMs"),
            "fault": last.get("fault"),
        }
    again, _, first = rows
    assert (first["attempts"], first["fault"]) == (2, "receiver_fails:timeout")
    assert (again["redeliveryOf"], again["job"], again["attempts"]) == (first["_id"], "again", 0)
    assert (first["redeliveryOf"], first["job"]) == (None, None)


def test_a_page_has_500_rows_and_200_of_them_are_small_as_they_are_sent(api: Api) -> None:
    made = api.leanbe.trigger_all(TriggerRequest(events=["idea.created"], times=501), deliver=False)
    newest = [each.require_delivery().id for each in reversed(made)]
    first = api("GET", "/deliveries?view=rows&limit=500").json()
    rest = api("GET", f"/deliveries?view=rows&limit=500&cursor={first['cursor']}").json()
    assert [each["_id"] for each in first["items"] + rest["items"]] == newest
    assert rest["cursor"] is None
    rows = api("GET", "/deliveries?view=rows&limit=200")
    assert (rows.headers["content-encoding"], rows.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(rows.headers["content-length"]) < MOST_BYTES
    for accepted in ("identity", "gzip;q=0", "br"):
        plain = api("GET", "/deliveries?view=rows&limit=200", headers={"Accept-Encoding": accepted})
        assert "content-encoding" not in plain.headers
        assert plain.content == rows.content
    for path in ("/deliveries?limit=201", "/deliveries?view=rows&limit=501", "/events?limit=201"):
        assert api("GET", path).status_code == 422
    assert api("GET", "/deliveries?view=row").status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/deliveries",
        "/deliveries?view=rows",
        "/events",
        "/faults",
        "/products",
        "/products/Acme/ideas",
        "/products/Acme/users",
        "/products/Acme/assumptions",
    ],
)
def test_a_list_has_the_cursor_from_which_the_journal_goes_on(api: Api, path: str) -> None:
    api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
    # PostgreSQL shows a commit when transactions that began before it, in any database, have ended.
    next(api.leanbe.journal.follow(START))
    cursor = Cursor.parse(api("GET", path).headers["Leanbe-Emitter-Cursor"])
    assert api.leanbe.journal.next(cursor)[0] == []
    api("POST", "/products/Acme/ideas", {"title": "Light mode"})
    entry = next(api.leanbe.journal.follow(cursor))
    assert entry.event.payload["title"] == "Light mode"


def test_a_redelivery_is_told_from_the_first_delivery_whatever_the_clock_says() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(clock=clock, transport=ScriptedTransport(NO)) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        first = leanbe.trigger("idea.created")
        clock.set(clock.now() - timedelta(hours=1))
        (early,) = leanbe.deliveries.redeliver(first)
        clock.set(clock.now() + timedelta(hours=2))
        (late,) = leanbe.deliveries.redeliver(early)
        other = leanbe.trigger("okr.created")
        assert early.created_at < first.created_at
        expected = [None, first.id, first.id, None]
        ids = [first.id, early.id, late.id, other.id]
        assert [each.redelivery_of for each in leanbe.deliveries.of(ids)] == expected
        assert [each.redelivery_of for each in leanbe.deliveries.rows_of(ids)] == expected
