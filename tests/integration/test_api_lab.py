"""Data for pages of faults, clock, events and ideas: catalogue, next retry, deliveries, votes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from leanbe_emitter import Conflict, InvalidValue, Leanbe, ManualClock
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.snippets import MEANINGS, NAMES, snippet
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, FaultSpec
from leanbe_emitter.wire.instants import print_instant
from tests.support.api_client import Api, open_api
from tests.support.scripted_transport import ScriptedTransport

NO = Answer(status=503, reason="No", body=b"")


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url, transport=ScriptedTransport(NO, NO, NO), clock="manual") as api:
        api.leanbe.products.create("Acme", webhook_url="http://a.test/")
        yield api


def test_the_catalogue_of_faults_names_ways_that_can_be_added(api: Api) -> None:
    kinds = api("GET", "/faults/catalogue").json()["items"]
    assert [each["kind"] for each in kinds] == [each.name for each in FAULT_KINDS]
    assert {each["group"] for each in kinds} == {"receiver", "request", "wire", "schedule"}
    for kind in kinds:
        assert kind["sees"]
        assert bool(kind["ways"]) == (kind["default"] is not None) == bool(kind["default"])
        assert FaultSpec.parse(kind["kind"], kind["default"]).parts


def test_one_fault_is_deleted_and_the_others_stay(api: Api) -> None:
    first, second = (api("POST", "/faults", {"kind": "wrong_secret"}).json() for _ in range(2))
    assert api("DELETE", f"/faults/{first['_id']}").status_code == 204
    assert api("GET", "/faults").json()["items"] == [second]
    assert api("DELETE", f"/faults/{first['_id']}").status_code == 404


def test_the_clock_goes_to_the_next_retry_and_to_an_instant(api: Api) -> None:
    leanbe = api.leanbe
    assert api("GET", "/clock").json()["next"] is None
    assert api("POST", "/clock/advance", {"to": "next"}).status_code == 409
    for event in ("idea.created", "okr.created"):
        leanbe.trigger(event)
    due = leanbe.clock.now() + timedelta(seconds=5)
    assert api("GET", "/clock").json()["next"] == {"at": print_instant(due), "count": 2}
    advanced = api("POST", "/clock/advance", {"to": "next"}).json()
    assert (advanced["now"], len(advanced["attempts"])) == (print_instant(due), 2)
    later = due + timedelta(hours=1)
    advanced = api("POST", "/clock/advance", {"to": print_instant(later)}).json()
    assert (advanced["now"], len(advanced["attempts"])) == (print_instant(later), 1)
    for wrong in ({"to": "then"}, {"to": print_instant(due)}, {"to": "next", "seconds": 1}, {}):
        assert api("POST", "/clock/advance", wrong).status_code == 422
    with pytest.raises(InvalidValue, match="time zone"):
        leanbe.clock.advance(to=later.replace(tzinfo=None))
    with Leanbe() as other, pytest.raises(Conflict):
        other.clock.advance(to="next")


def test_a_retry_that_is_due_already_is_not_the_next_one() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(clock=clock, transport=ScriptedTransport(NO)) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.trigger("idea.created")
        assert leanbe.clock.next() is not None
        clock.advance(seconds=10)
        assert leanbe.clock.next() is None


def test_an_event_has_its_deliveries(api: Api) -> None:
    first = api.leanbe.trigger("idea.created")
    (second,) = api.leanbe.deliveries.redeliver(first)
    api("DELETE", "/products/Acme/webhook")
    api("POST", "/products/Acme/ideas", {"title": "Nobody is told"})
    newest, oldest = api("GET", "/events").json()["items"]
    assert (oldest["deliveries"], newest["deliveries"]) == ([first.id, second.id], [])
    assert api("GET", f"/events/{oldest['_id']}").json() == oldest


def test_a_receiver_to_start_from_is_the_text_that_the_command_prints(api: Api) -> None:
    for name in NAMES:
        found = api("GET", f"/snippets/{name}").json()
        assert found == {"name": name, "meaning": MEANINGS[name], "text": snippet(name)}
    assert api("GET", "/snippets/phq").json()["hint"] == "Did you mean php?"


def test_information_says_what_the_server_does(api: Api) -> None:
    info = api("GET", "/info").json()
    assert {name: info[name] for name in ("worker", "needsToken", "seedFile", "keep")} == {
        "worker": False,
        "needsToken": False,
        "seedFile": None,
        "keep": None,
    }


def test_votes_are_listed_with_their_voters(api: Api) -> None:
    acme = api.leanbe.products.get("Acme")
    ana = acme.customers.create(email="ana@example.com")
    idea = acme.ideas.create(title="Dark mode")
    acme.ideas.upvote(idea, customer=ana)
    acme.ideas.downvote(idea)
    acme.ideas.upvote(acme.ideas.create(title="Light mode"))
    path = f"/products/Acme/ideas/{idea.id}/votes"
    first = api("GET", f"{path}?limit=1").json()
    rest = api("GET", f"{path}?cursor={first['cursor']}").json()
    voted = [(each["customer"], each["kind"]) for each in first["items"] + rest["items"]]
    assert (voted, rest["cursor"]) == ([(ana.id, "up"), (None, "down")], None)


def test_a_list_of_documents_is_in_either_order_and_searched(api: Api) -> None:
    acme = api.leanbe.products.get("Acme")
    for title in ("Dark mode", "100% uptime", "Light MODE"):
        acme.ideas.create(title=title)
        api.leanbe.clock.advance(seconds=0.001)
    acme.customers.create(email="ana@example.com", first_name="Olga", last_name="Duarte")
    acme.customers.create(email="bo@example.com")

    def listed(query: str) -> list[str]:
        items = api("GET", f"/products/Acme/{query}").json()["items"]
        return [each.get("title") or each["email"] for each in items]

    oldest = listed("ideas")
    assert listed("ideas?order=newest") == oldest[::-1]
    first = api("GET", "/products/Acme/ideas?order=newest&limit=2").json()
    assert listed(f"ideas?order=newest&cursor={first['cursor']}") == oldest[:1]
    assert listed("ideas?q=mode") == ["Dark mode", "Light MODE"]
    assert listed("ideas?q=0%25") == ["100% uptime"]
    assert listed("ideas?q=k%25m") == []
    for text in ("ANA@", "olga", "duarte"):
        assert listed(f"customers?q={text}") == ["ana@example.com"]
    for wrong in ("order=best", "q="):
        assert api("GET", f"/products/Acme/ideas?{wrong}").status_code == 422
