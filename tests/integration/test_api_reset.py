"""Reset over the API: everything goes, or what one product has, whatever is in flight."""

import asyncio
from collections.abc import Iterator

import pytest

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from leanbe_emitter.storage.schema.states import DeliveryStatus
from tests.support.api_client import Api, open_api
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import HoldingTransport
from tests.support.waiting import PATIENCE_SECONDS

URL = "http://127.0.0.1:9/hooks"
NOTHING = {"products": 0, "events": 0, "deliveries": {each.value: 0 for each in DeliveryStatus}}


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        yield api


def live(api: Api, name: str) -> None:
    """Make a product with something in every corner of it."""
    api("POST", "/products", {"name": name, "webhook": {"url": URL}})
    path = f"/products/{name}"
    api("POST", f"{path}/users", {"email": "bo@example.com", "firstName": "Bo"})
    ana = api("POST", f"{path}/customers", {"email": "ana@example.com"}).json()["_id"]
    idea = api("POST", f"{path}/ideas", {"title": "Dark mode"}).json()["_id"]
    api("POST", f"{path}/ideas/{idea}/upvote", {"customer": ana})
    api("POST", "/faults", {"kind": "not_delivered", "product": name})


def test_everything_goes_faults_too(api: Api) -> None:
    live(api, "Acme")
    api("POST", "/faults", {"kind": "not_delivered"})
    assert api("POST", "/reset").status_code == 204
    assert api("GET", "/info").json()["counts"] == NOTHING
    assert api("GET", "/faults").json()["items"] == []
    assert api("POST", "/products", {"name": "Acme"}).status_code == 201


def test_a_products_reset_deletes_its_content_and_keeps_its_settings_and_all_others(
    api: Api,
) -> None:
    for name in ("Acme", "Globex"):
        live(api, name)
    before = api("GET", "/products/Acme").json()
    assert api("POST", "/products/Acme/reset").json() == before
    assert len(api("GET", "/products/Acme/users").json()["items"]) == 2, "the owner, and Bo"
    assert api("GET", "/products/Acme/webhook/secret").status_code == 200
    for what in ("customers", "ideas"):
        assert api("GET", f"/products/Acme/{what}").json()["items"] == []
        assert len(api("GET", f"/products/Globex/{what}").json()["items"]) == 1
    (fault,) = api("GET", "/faults").json()["items"]
    assert fault["product"] == api("GET", "/products/Globex").json()["_id"]
    deliveries = api("GET", "/deliveries").json()["items"]
    assert {each["event"]["product"] for each in deliveries} == {fault["product"]}


def test_ids_and_secrets_are_the_same_again_where_that_is_wanted(api: Api) -> None:
    made = []
    for ids in ("go on", "restart", "restart"):
        api("POST", "/reset", {"ids": ids})
        product = api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}}).json()
        secret = api("GET", "/products/Acme/webhook/secret").json()["secret"]
        made.append((product["_id"][8:], secret))
    assert made[0] != made[1] == made[2]


def test_the_time_of_a_manual_clock_begins_again_with_them(database_url: str) -> None:
    beginning = "2026-01-01T00:00:00.000Z"
    with Leanbe(database_url, clock="manual") as leanbe:
        api = Api(leanbe, create_app(leanbe, settings=Settings(), access=Access()))
        api("PUT", "/clock", {"now": beginning})
        api("POST", "/clock/advance", {"seconds": 60})
        api("POST", "/reset")
        assert api("GET", "/clock").json()["now"] == "2026-01-01T00:01:00.000Z"
        api("POST", "/reset", {"ids": "restart"})
        assert api("GET", "/clock").json()["now"] == beginning


@run_in_loop
@pytest.mark.parametrize("which", [None, "Acme"])
async def test_a_reset_aborts_attempts_in_flight_before_it_answers(
    database_url: str, which: str | None
) -> None:
    transport = HoldingTransport()
    async with Leanbe(database_url, transport=transport) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        async with leanbe.working():
            await asyncio.to_thread(product.ideas.create, title="Dark mode")
            await transport.sent(1)
            if which is None:
                await asyncio.to_thread(leanbe.reset)
                product = leanbe.products.create("Acme", webhook_url=URL)
            else:
                await asyncio.to_thread(leanbe.products.reset, which)
            assert transport.at_once == 0
            transport.let_go()
            await asyncio.to_thread(product.okrs.create, title="Ship it")
            await transport.sent(2)
            await asyncio.to_thread(leanbe.wait_until_idle, timeout_seconds=PATIENCE_SECONDS)
        (delivery,) = leanbe.deliveries.list()
    assert (delivery.event.name, delivery.status) == ("okr.created", "delivered")
