"""``Leanbe`` with receivers in the same process: no port, whatever the framework."""

import asyncio
import json
import threading
import unittest
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from leanbe_emitter import (
    Conflict,
    EndlessDeliveries,
    Filter,
    InvalidValue,
    Leanbe,
    ReceivedRequest,
    WaitTimedOut,
    transport_for,
)
from leanbe_emitter.delivery.worker import foreground
from tests.support.framework_apps import (
    bottle_app,
    django_asgi_app,
    django_client,
    django_wsgi_app,
    fastapi_app,
    flask_app,
    flask_client,
    litestar_app,
    starlette_app,
)
from tests.support.in_process_apps import (
    END,
    SOON,
    START,
    Receive,
    Send,
    app_noting_lifespan,
    app_sending,
    block_thread,
    raising_late,
    wait_for_ever,
    yield_to_loop,
)
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.scripted_transport import ScriptedTransport

SECRET = "whsec_test"
EVERYTHING = [
    fastapi_app, starlette_app, litestar_app, django_asgi_app, django_wsgi_app, flask_app,
    bottle_app, flask_client, django_client,
]  # fmt: skip


@pytest.fixture
def leanbe() -> Iterator[Leanbe]:
    """An empty Leanbe in memory."""
    with Leanbe() as leanbe:
        yield leanbe


class Noting:
    """A receiver that keeps what it got, and answers 204."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []

    def __call__(self, request: ReceivedRequest) -> None:
        self.requests.append(request)


def with_more_time(app: Any) -> Any:
    """Return the app with more time to answer, for tests of something else than that."""
    return transport_for(app, answer_seconds=10)


@pytest.mark.parametrize("make", EVERYTHING)
def test_an_event_reaches_the_app(leanbe: Leanbe, make: Callable[[], Any]) -> None:
    product = leanbe.products.create(
        "Acme", webhook=with_more_time(make()), path="/ok", secret=SECRET
    )
    product.ideas.create(title="Dark mode")
    (attempt,) = leanbe.deliver()
    assert (attempt.outcome, attempt.answer_status) == ("delivered", 200)
    assert attempt.url == "http://testserver/ok"
    body = leanbe.deliveries.last().event.body
    assert json.loads(attempt.answer_body or b"") == {"length": len(body)}


@pytest.mark.parametrize("make", EVERYTHING)
def test_an_apps_exception_is_recorded_and_raised(leanbe: Leanbe, make: Callable[[], Any]) -> None:
    product = leanbe.products.create(
        "Acme", webhook=with_more_time(make()), path="/raise", secret=SECRET
    )
    product.ideas.create(title="Dark mode")
    with pytest.raises(ValueError, match="no such idea") as caught:
        leanbe.deliver()
    assert (
        "Raised by the receiver at http://testserver/raise (request)" in caught.value.__notes__[0]
    )
    (attempt,) = leanbe.deliveries.last().attempts
    assert (attempt.outcome, attempt.answer_status) == ("refused", 500)
    assert (attempt.error or "").startswith("the app raised ValueError: no such idea (at tests")


def test_an_apps_exception_can_be_recorded_only() -> None:
    with Leanbe(app_errors="record") as leanbe:
        leanbe.products.create("Acme", webhook=with_more_time(fastapi_app()), path="/raise")
        assert leanbe.trigger("idea.created").outcome == "refused"


def test_the_request_is_verified_with_the_products_secret(leanbe: Leanbe) -> None:
    receiver = Noting()
    leanbe.products.create("Acme", webhook=receiver, path="/hook?x=1", secret=SECRET)
    delivery = leanbe.trigger("idea.created")
    (request,) = receiver.requests
    assert request.url == "http://testserver/hook?x=1"
    assert request.envelope(SECRET).payload == delivery.event.payload
    assert request.header("host") == "testserver"


def test_every_app_has_an_address_of_its_own(leanbe: Leanbe) -> None:
    first, second = Noting(), Noting()
    acme = leanbe.products.create("Acme", webhook=first)
    other = leanbe.products.create("Other", webhook=second)
    third = leanbe.products.create("Third", webhook=first, path="/b")
    urls = [each.webhook.url for each in (acme, other, third)]
    assert urls == ["http://testserver/", "http://testserver:2/", "http://testserver/b"]
    other.ideas.create(title="Dark mode")
    leanbe.deliver()
    assert (len(first.requests), len(second.requests)) == (0, 1)


def test_a_url_still_goes_over_the_network(leanbe: Leanbe, receiver: LoopbackReceiver) -> None:
    inside = Noting()
    leanbe.products.create("Inside", webhook=inside).ideas.create(title="A")
    leanbe.products.create("Outside", webhook_url=receiver.url).ideas.create(title="B")
    assert [each.outcome for each in leanbe.deliver()] == ["delivered", "delivered"]
    assert len(inside.requests) == len(receiver.requests) == 1


def test_a_transport_of_the_users_gets_only_what_goes_elsewhere() -> None:
    transport, inside = ScriptedTransport(), Noting()
    with Leanbe(transport=transport) as leanbe:
        leanbe.products.create("Inside", webhook=inside).ideas.create(title="A")
        leanbe.products.create("Outside", webhook_url="http://a.test/").ideas.create(title="B")
        leanbe.deliver()
    assert [each.url for each in transport.requests] == ["http://a.test/"]
    assert len(inside.requests) == 1


def test_a_webhook_can_be_moved_into_the_process(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme", webhook_url="http://a.test/", secret=SECRET)
    receiver = Noting()
    webhook = leanbe.webhooks.set(product, webhook=receiver, path="/hook")
    assert (webhook.url, webhook.secret) == ("http://testserver/hook", SECRET)
    assert leanbe.trigger("idea.created").delivered


def test_a_receiver_in_process_has_an_https_address_if_https_is_required() -> None:
    receiver = Noting()
    with Leanbe(assume={"require_https": "true"}) as leanbe:
        leanbe.products.create("Acme", webhook=receiver)
        assert leanbe.trigger("idea.created").delivered
    assert receiver.requests[0].url == "https://testserver/"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"webhook": Noting(), "webhook_url": "http://a.test/"}, "give one of them"),
        ({"webhook": 7}, "7 is not a receiver"),
        ({"webhook": Noting(), "path": "hook"}, "'hook' does not begin with a slash"),
        ({"secret": SECRET}, "without a webhook URL"),
    ],
)
def test_an_object_that_is_no_receiver_is_refused_and_nothing_is_made(
    leanbe: Leanbe, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        leanbe.products.create("Acme", **given)
    assert said in str(caught.value)
    assert leanbe.products.list() == []


def test_an_event_is_triggered_to_an_app_alone(leanbe: Leanbe) -> None:
    receiver = Noting()
    delivery = leanbe.trigger("idea.created", to=receiver)
    assert delivery.delivered
    product = leanbe.products.only()
    assert product.name == "Product for http://testserver/"
    assert receiver.requests[0].envelope(product.webhook.secret or "").event == "idea.created"


def test_an_event_is_triggered_to_the_product_whose_webhook_is_there(leanbe: Leanbe) -> None:
    receiver = Noting()
    leanbe.products.create("Other", webhook_url="http://a.test/")
    product = leanbe.products.create("Acme", webhook=receiver, path="/hook", secret=SECRET)
    delivery = leanbe.trigger("idea.created", to=receiver)
    assert delivery.event.product_id == product.id
    assert receiver.requests[0].url == "http://testserver/hook"


def test_an_event_is_triggered_to_a_url(leanbe: Leanbe, receiver: LoopbackReceiver) -> None:
    for _ in range(2):
        assert leanbe.trigger("idea.created", to=receiver.url).delivered
    assert leanbe.products.only().webhook.url == receiver.url


def test_an_event_without_a_clear_receiver_is_refused(leanbe: Leanbe) -> None:
    receiver = Noting()
    product = leanbe.products.create("Acme", webhook=receiver)
    with pytest.raises(InvalidValue, match="Both a receiver and a product"):
        leanbe.trigger("idea.created", to=receiver, product=product)
    leanbe.products.create("Other", webhook=receiver)
    with pytest.raises(InvalidValue, match="Several products have this webhook: 'Acme', 'Other'"):
        leanbe.trigger("idea.created", to=receiver)


def test_an_event_that_a_receiver_records_is_delivered_in_the_same_pass(leanbe: Leanbe) -> None:
    def receive(request: ReceivedRequest) -> None:
        events.append(request.envelope(SECRET).event)
        if len(events) == 1:
            product.customers.create(email="ana@example.com")

    events = list[str]()
    product = leanbe.products.create("Acme", webhook=receive, secret=SECRET)
    product.ideas.create(title="Dark mode")
    leanbe.deliver()
    assert events == ["idea.created", "customer.created"]


def test_a_receiver_that_records_an_event_for_each_it_gets_is_not_followed_for_ever(
    leanbe: Leanbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "MAX_RECORDED", 20)
    titles = (f"Title {number}" for number in count())

    def receive(_: ReceivedRequest) -> None:
        product.ideas.update(idea, title=next(titles))

    product = leanbe.products.create("Acme", webhook=receive)
    idea = product.ideas.create(title="Dark mode")
    with pytest.raises(EndlessDeliveries, match=r"the last one idea\.updated"):
        leanbe.deliver()
    assert len(leanbe.deliveries.list(Filter(status="delivered"))) == 20 + 1 + 10
    assert (leanbe.due().count, leanbe.due().in_flight) == (1, 0)


def test_very_many_that_are_due_are_not_called_endless(
    leanbe: Leanbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "MAX_RECORDED", 0)
    product = leanbe.products.create("Acme", webhook=lambda _: None)
    with leanbe.transaction():
        for number in range(20):
            product.ideas.create(title=f"Idea {number}")
    assert len(leanbe.deliver()) == 20
    assert leanbe.deliver() == []


@pytest.mark.parametrize("is_async", [False, True])
def test_delivering_inside_a_receiver_is_an_error(leanbe: Leanbe, *, is_async: bool) -> None:
    def receive(_: ReceivedRequest) -> None:
        leanbe.deliver()

    async def receive_asynchronously(_: ReceivedRequest) -> None:
        await asyncio.to_thread(leanbe.deliver)

    leanbe.products.create("Acme", webhook=receive_asynchronously if is_async else receive)
    with pytest.raises(Conflict, match="from inside a receiver"):
        leanbe.trigger("idea.created")


def test_settle_waits_for_an_apps_work_after_the_answer(leanbe: Leanbe) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(START, END)(scope, receive, send)
        await yield_to_loop(100)
        done.append("background")

    done = list[str]()
    leanbe.products.create("Acme", webhook=app)
    assert leanbe.trigger("idea.created").delivered
    leanbe.settle()
    assert done == ["background"]


def test_settle_raises_an_apps_error_after_the_answer(leanbe: Leanbe) -> None:
    app = raising_late(ValueError("too late"))
    leanbe.products.create("Acme", webhook=app)
    assert leanbe.trigger("idea.created").delivered
    with pytest.raises(ValueError, match="too late"):
        leanbe.settle()


def test_a_wait_without_a_receivers_work_says_so(leanbe: Leanbe) -> None:
    leanbe.settle()
    with pytest.raises(WaitTimedOut, match="no receiver is at work"):
        leanbe.settle(until=lambda: False)


def test_a_hanging_app_is_an_outcome_and_its_line_on_record(leanbe: Leanbe) -> None:
    async def hang(_: ReceivedRequest) -> None:
        await wait_for_ever()

    def block(_: ReceivedRequest) -> None:
        block_thread()

    assume = {"timeout": f"{SOON}s"}
    for name, receiver in (("wait_for_ever", hang), ("block_thread", block)):
        product = leanbe.products.create(name, webhook=receiver, assume=assume)
        delivery = leanbe.trigger("idea.created", product=product)
        assert delivery.outcome == "unknown"
        assert f"in {name}: " in (delivery.attempts[-1].error or "")


def test_the_lifespan_runs_once_and_ends_with_the_handle() -> None:
    steps = list[str]()
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", webhook=app_noting_lifespan(steps))
        assert leanbe.trigger("idea.created").delivered
        assert leanbe.trigger("idea.created").delivered
        assert steps == ["lifespan.startup"]
    assert steps == ["lifespan.startup", "lifespan.shutdown"]


def test_an_app_that_does_not_start_is_unreachable(leanbe: Leanbe) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    leanbe.products.create("Acme", webhook=app)
    delivery = leanbe.trigger("idea.created")
    assert delivery.outcome == "unreachable"
    assert delivery.attempts[0].error == "the app did not start: no database"


def test_a_thread_that_hangs_does_not_keep_the_handle_from_closing() -> None:
    async def receive(_: ReceivedRequest) -> None:
        await asyncio.to_thread(may_end.wait)

    may_end = threading.Event()
    with Leanbe(assume={"timeout": f"{SOON}s"}) as leanbe:
        leanbe.products.create("Acme", webhook=receive)
        error = leanbe.trigger("idea.created").attempts[0].error or ""
    may_end.set()  # it would never have been reached
    assert "the app hangs at" in error
    assert "in receive: await asyncio.to_thread(may_end.wait)" in error


def test_an_error_in_the_block_is_not_hidden_by_one_of_the_app() -> None:
    app = raising_late(ValueError("of the app"))

    def act() -> None:
        with Leanbe() as leanbe:
            leanbe.products.create("Acme", webhook=app)
            leanbe.trigger("idea.created")
            raise KeyError("of the test")

    with pytest.raises(KeyError, match="of the test"):
        act()


def test_a_worker_delivers_to_apps_too(leanbe: Leanbe) -> None:
    receiver = Noting()
    leanbe.products.create("Function", webhook=receiver).ideas.create(title="A")
    leanbe.products.create("App", webhook=with_more_time(starlette_app()), path="/ok").ideas.create(
        title="B"
    )
    leanbe.work(drain=True)
    assert [each.outcome for each in leanbe.deliveries.list()] == ["delivered", "delivered"]


def test_receivers_see_the_rows_of_a_django_test_case_and_its_rollback() -> None:
    apps = [django_wsgi_app(), django_asgi_app(), django_client()]
    from django.db import connection  # noqa: PLC0415 - after the settings
    from django.test import TestCase  # noqa: PLC0415 - after the settings

    class Shop(TestCase):  # type: ignore[misc]
        def test_votes_are_counted(self) -> None:
            connection.cursor().execute("CREATE TABLE seen (name text)")
            connection.cursor().execute("INSERT INTO seen VALUES ('idea')")
            with Leanbe() as leanbe:
                for name, app in enumerate(apps):
                    leanbe.products.create(f"{name}", webhook=with_more_time(app), path="/count")
                deliveries = [
                    leanbe.trigger("idea.created", product=each) for each in leanbe.products.list()
                ]
            counts.extend(each.attempts[0].answer_body for each in deliveries)

    counts = list[bytes | None]()
    result = unittest.TestResult()
    unittest.TestSuite([Shop("test_votes_are_counted")]).run(result)
    assert [each[1] for each in result.errors + result.failures] == []
    assert counts == [b"1"] * 3
    assert "seen" not in connection.introspection.table_names()
