"""Users' code as type checkers read it: nothing here is run, all of it has to type-check.

mypy strict and basedpyright hold it. Where a line is wrong on purpose, its comments name the error
that each has to find; a comment that is no longer needed is an error itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_type

from flask.typing import ResponseReturnValue
from starlette.requests import Request

from leanbe_emitter import (
    Attempt,
    BacklogItem,
    Customer,
    DatabaseUnavailable,
    Delivery,
    DeliveryStatus,
    Envelope,
    Event,
    Explanation,
    Fault,
    FaultNeverFired,
    Filter,
    Idea,
    IdeaRequest,
    InvalidSignature,
    Job,
    Leanbe,
    LeanbeError,
    ManualClock,
    NotAwaited,
    NotFound,
    Nothing,
    Okr,
    Outcome,
    Probed,
    Product,
    ReceivedRequest,
    Redelivered,
    Results,
    Settings,
    User,
    Webhook,
    explain,
    sign,
    sign_text,
    stringify,
    transport_for,
    verify,
)
from leanbe_emitter.receivers import fastapi as for_fastapi
from leanbe_emitter.receivers import flask as for_flask
from leanbe_emitter.testing import Receiver, Server

SECRET = "whsec_test"


def a_receiver(body: bytes) -> int:
    try:
        envelope = verify(body, SECRET)
    except InvalidSignature as error:
        assert_type(error.message, str)
        assert_type(error.hint, str)
        return 401
    assert_type(envelope, Envelope)
    assert_type(envelope.event, str)
    assert_type(envelope.triggered_at, str)
    assert_type(envelope.payload, Any)
    return 204


def signing(payload: dict[str, object]) -> None:
    assert_type(stringify(payload), str)
    assert_type(sign(payload, SECRET), str)
    assert_type(sign_text("{}", SECRET), str)
    assert_type(explain(b"{}", SECRET, got="00"), Explanation)
    assert_type(explain(b"{}", SECRET, hashed=b"{}", answer=b"", lang="php"), Explanation)
    explain(b"{}", SECRET, headers=[("X-Sig", "00")], assume={"signature_location": "header"})
    verify("text", SECRET)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def verified_in_fastapi_and_starlette() -> None:
    assert_type(for_fastapi.verified(SECRET), Callable[[Request], Awaitable[Envelope]])
    for_fastapi.verified(lambda: SECRET)
    for_fastapi.verified(b"")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@for_flask.verified(SECRET)
def a_view_in_flask(envelope: Envelope, folder: str) -> tuple[str, int]:
    return folder + envelope.event, 204


@for_flask.verified(lambda: SECRET)
async def an_asynchronous_view_in_flask(envelope: Envelope) -> str:
    return envelope.event


def flask_calls_a_view_without_the_envelope() -> None:
    assert_type(a_view_in_flask(folder="hooks"), ResponseReturnValue)
    a_view_in_flask()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def a_handle(folder: Path) -> Leanbe:
    leanbe = Leanbe(
        f"sqlite:///{folder / 'leanbe.db'}",
        assume={"unset": "null"},
        seed=1,
        clock=ManualClock(datetime(2026, 11, 24, tzinfo=UTC)),
        settings=Settings(),
        app_errors="record",
    )
    Leanbe(app_errors="log")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return leanbe


def products(leanbe: Leanbe) -> Product:
    acme = leanbe.products.create("Acme", webhook_url="http://127.0.0.1:8000/", secret=SECRET)
    assert_type(acme, Product)
    assert_type(acme.webhook, Webhook)
    assert_type(acme.webhook.secret, str | None)
    assert_type(leanbe.products.get("Acme"), Product)
    assert_type(leanbe.products.list(), list[Product])
    assert_type(leanbe.webhooks.rotate(acme), Webhook)
    acme.name = "Acne"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    return acme


def receivers_in_this_process(leanbe: Leanbe) -> None:
    def function(request: ReceivedRequest) -> int:
        return a_receiver(request.body)

    leanbe.products.create("Initech", webhook=function, path="/hooks/leanbe")
    leanbe.products.create("Umbrella", webhook=transport_for(function, lifespan=False))
    leanbe.settle()


def resources(acme: Product) -> None:
    assert_type(acme.users.create(email="bo@example.com", first_name="Bo"), User)
    ana = acme.customers.create(email="ana@example.com", first_name="Ana")
    assert_type(ana, Customer)
    request = acme.idea_requests.create(title="Dark mode please", customer=ana)
    assert_type(request, IdeaRequest)
    idea = acme.ideas.create(title="Dark mode", requests=[request], tags=["ui"])
    assert_type(idea, Idea)
    assert_type(acme.ideas.upvote(idea, customer="ana@example.com"), Idea)
    assert_type(acme.ideas.get(idea.id), Idea)
    assert_type(acme.ideas.update(idea, title="Light mode").title, str)
    assert_type(idea.document(), dict[str, Any])
    for item in acme.backlog_items.list(idea=idea):
        assert_type(item, BacklogItem)
    okr = acme.okrs.create(title="Ship it", key_results=[{"title": "Themes", "targetValue": 2}])
    assert_type(okr, Okr)
    acme.announcements.publish(acme.announcements.create(title="Dark mode is here"))
    acme.ideas.create(titel="Dark mode")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def delivering(leanbe: Leanbe, acme: Product) -> None:
    with leanbe.transaction():
        acme.ideas.create(title="Dark mode")
    attempts = leanbe.deliver()
    assert_type(attempts, Results[Attempt])
    first: Attempt = attempts[0]
    assert_type(first.outcome, Outcome)
    assert_type(first.answer_status, int | None)
    delivery = leanbe.trigger("idea.created", product=acme, set={"title": "Dark mode"})
    assert_type(delivery, Delivery)
    assert_type(delivery.status, DeliveryStatus)
    assert_type(delivery.event, Event)
    assert_type(delivery.event.triggered_at, datetime)
    assert_type(delivery.event.body, bytes)
    assert_type(delivery.delivered, bool)
    assert_type(delivery.next_due_at, datetime | None)
    assert_type(leanbe.deliveries.last("idea.*"), Delivery)
    found: Sequence[Delivery] = leanbe.deliveries.list(Filter(event="idea.*"))
    assert_type(found[0].attempts, tuple[Attempt, ...])


def redelivering_and_time(leanbe: Leanbe, delivery: Delivery) -> None:
    again: Sequence[Delivery] = delivery.redeliver(times=3)
    assert_type(again[0].outcome, Outcome | None)
    assert_type(delivery.code().text, str)
    made: Sequence[Attempt] = leanbe.clock.advance(hours=1)
    assert_type(made[0].duration_ms, float)
    assert_type(leanbe.clock.now(), datetime)
    leanbe.clock.advance(hour=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    leanbe.reset()


async def awaiting(leanbe: Leanbe, acme: Product) -> None:
    async with leanbe.foreground() as raised:
        acme.ideas.create(title="Dark mode")
    assert_type(raised.deliveries, Sequence[Delivery])
    attempts = await leanbe.deliver()
    assert_type(attempts, Results[Attempt])
    assert_type(attempts[0], Attempt)
    delivery = await leanbe.trigger("idea.created", product=acme)
    assert_type(delivery, Delivery)
    assert_type(await delivery.redeliver(times=2), Results[Delivery])
    assert_type(delivery.explain(got="00"), Explanation)
    assert_type(await delivery.explain(probe=True, lang="php"), Probed)
    delivery.explain(probe=True, got="00")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    assert_type(await leanbe.deliveries.redeliver(delivery), Results[Delivery])
    assert_type(await leanbe.deliveries.redeliver(Job(name="all")), Redelivered)
    made: list[Attempt] = await leanbe.clock.advance(hours=1)
    made += await leanbe.clock.run_until_settled()
    assert_type(await leanbe.settle(until=lambda: bool(made)), Nothing)
    both = await asyncio.gather(leanbe.deliver(), leanbe.settle())
    assert_type(both, tuple[Results[Attempt], Nothing])
    await asyncio.wait_for(leanbe.reset(), 1)
    await leanbe.clock.advance(hour=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await leanbe.metrics()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]


async def a_handle_in_a_loop() -> None:
    async with Leanbe() as leanbe:
        assert_type(leanbe, Leanbe)
    try:
        await leanbe.close()
    except NotAwaited as error:
        assert_type(error.hint, str)


def asserting(leanbe: Leanbe) -> None:
    leanbe.assert_delivered("idea.upVoted", times=1, payload={"title": "Dark mode"})
    leanbe.refute_delivered("customer.*")
    leanbe.assert_refused("idea.created", status=401)
    leanbe.assert_order(["idea.created", "idea.upVoted"])


def a_suites_server(leanbe_server: Server, address: str) -> Product:
    assert_type(leanbe_server.url, str)
    assert_type(leanbe_server.leanbe, Leanbe)
    leanbe_server.leanbe.wait_until_idle(timeout_seconds=10)
    return Receiver(address, secret="whsec_test").product(leanbe_server.leanbe)


def faults(leanbe: Leanbe, acme: Product) -> None:
    fault = leanbe.faults.receiver_fails(times=2, how="status:503", event="idea.*", product=acme)
    assert_type(fault, Fault)
    assert_type(fault.fired, int)
    assert_type(fault.how, str | None)
    leanbe.faults.tampered_payload()
    leanbe.faults.delivered_late(how="10m", must_fire=False)
    leanbe.faults.add("wrong_secret+delivered_twice", times=3)
    assert_type(leanbe.faults.list(), list[Fault])
    assert_type(leanbe.deliveries.last().attempts[0].fault, str | None)
    leanbe.faults.clear()
    try:
        leanbe.faults.require_fired()
    except FaultNeverFired as error:
        assert_type(error.message, str)
    leanbe.faults.tampered_payload(time=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    leanbe.faults.delivered_twice(how="1s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def errors(leanbe: Leanbe) -> None:
    try:
        leanbe.products.get("Acme")
    except NotFound as error:
        assert_type(error.code, str)
    except DatabaseUnavailable as error:
        whole: LeanbeError = error
        assert_type(whole.message, str)
