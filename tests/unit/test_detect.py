"""Receivers as users pass them, told apart or refused; and functions as receivers."""

import functools
import itertools
from typing import Any

import pytest

from leanbe_emitter import InvalidSignature, InvalidValue
from leanbe_emitter.delivery.in_process import detect
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.detect import transport_for
from leanbe_emitter.delivery.in_process.functions import ReceivedRequest
from leanbe_emitter.delivery.in_process.sync_transport import SyncTransport
from leanbe_emitter.delivery.in_process.wsgi import WsgiTransport
from leanbe_emitter.delivery.network.transport import Unknown
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.event_loops import run_in_loop
from tests.support.in_process_apps import (
    SOON,
    START,
    URL,
    app_sending,
    block_thread,
    described_errors,
    wait_for_ever,
)
from tests.support.network_sender import BODY, post
from tests.support.waiting import PATIENCE_SECONDS


def of_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    del environ
    start_response("200 OK", [])
    return []


class AsgiObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send(START)


class AsyncFunction:
    async def __call__(self, request: ReceivedRequest) -> int:
        del request
        return 202


def of_one(request: ReceivedRequest) -> int:
    return len(request.body) and 202


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (app_sending(START), AsgiTransport),
        (AsgiObject(), AsgiTransport),
        (AsgiObject().__call__, AsgiTransport),
        (of_wsgi, WsgiTransport),
        (lambda environ, start, *, extra=1: [environ, start, extra], WsgiTransport),
        (of_one, SyncTransport),
        (functools.partial(lambda status, request: (status, request.body), 200), SyncTransport),
        (AsyncFunction(), AsgiTransport),
    ],
)
def test_a_receiver_is_told_by_its_arguments(app: Any, kind: type) -> None:
    assert isinstance(transport_for(app), kind)


def test_a_transport_of_that_kind_is_used_as_it_is() -> None:
    given = WsgiTransport(of_wsgi)
    assert transport_for(given) is given


async def coroutine() -> None:
    """Be handed over by mistake."""


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("http://127.0.0.1:8000/", "Pass a URL as webhook_url="),
        (
            detect,
            "Pass the app in this module: perhaps leanbe_emitter.delivery.in_process.detect.app",
        ),
        (AsgiObject, "It is a class: pass an instance"),
        (coroutine(), "without parentheses"),
        (7, "7 is not a receiver. A receiver is an ASGI app"),
        (None, "None is not a receiver"),
        (lambda: 204, "It takes 0 arguments"),
        (lambda a, b, c, d: (a, b, c, d), "It takes 4 arguments"),
        (lambda *args: args, "an unknown number of arguments"),
        (itertools.count().__next__, "It takes 0 arguments"),
    ],
)
def test_anything_else_is_refused_with_a_hint(app: Any, said: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        transport_for(app)
    assert said in str(caught.value)


def test_a_url_with_credentials_is_not_shown() -> None:
    with pytest.raises(InvalidValue) as caught:
        transport_for("http://user:sesame@a.test/")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "status", "body"),
    [(None, 204, b""), (410, 410, b""), ((401, b"no"), 401, b"no"), ((200, "é"), 200, b"\xc3\xa9")],
)
@pytest.mark.parametrize("is_async", [False, True])
@run_in_loop
async def test_a_function_answers_by_what_it_returns(
    reply: Any, status: int, body: bytes, *, is_async: bool
) -> None:
    def plain(request: ReceivedRequest) -> Any:
        requests.append(request)
        return reply

    async def asynchronous(request: ReceivedRequest) -> Any:
        return plain(request)

    requests = list[ReceivedRequest]()
    sent = post(URL, extra=(("X-Tag", "1"),))
    function = asynchronous if is_async else plain
    answer = await transport_for(function, answer_seconds=PATIENCE_SECONDS).send(sent)
    assert (answer.status, answer.body) == (status, body)
    assert requests == [ReceivedRequest(method="POST", url=URL, headers=sent.headers, body=BODY)]
    assert requests[0].header("x-tag") == "1"
    assert requests[0].header("x-other") is None


def test_a_request_is_verified_in_one_call() -> None:
    request = ReceivedRequest(method="POST", url=URL, headers=(), body=BODY)
    with pytest.raises(InvalidSignature):
        request.envelope("whsec_test")


@pytest.mark.parametrize("reply", [True, 99, 600, "ok", (200, 7), (1, b"")])
@run_in_loop
async def test_a_reply_that_is_no_answer_is_a_500_that_says_so(reply: Any) -> None:
    transport = transport_for(lambda _: reply, answer_seconds=PATIENCE_SECONDS)
    answer = await transport.send(post(URL))
    assert answer.status == 500
    assert "a receiver's function returns None, a status" in answer.remark


@run_in_loop
async def test_an_error_in_a_function_is_kept() -> None:
    def fail(_: ReceivedRequest) -> None:
        raise ValueError("no such idea")

    async def fail_asynchronously(_: ReceivedRequest) -> None:
        raise ValueError("no such idea")

    for function in (fail, fail_asynchronously):
        transport = transport_for(function, answer_seconds=PATIENCE_SECONDS)
        assert (await transport.send(post(URL))).status == 500
        assert described_errors(transport.errors.take()) == ["ValueError: no such idea (request)"]


@run_in_loop
async def test_a_function_that_does_not_end_is_unknown() -> None:
    async def hang(_: ReceivedRequest) -> None:
        await wait_for_ever()

    def block(_: ReceivedRequest) -> None:
        block_thread()

    for function, line in ((hang, "wait_for_ever"), (block, "block_thread")):
        with pytest.raises(Unknown, match=f"in {line}: "):
            await transport_for(function, answer_seconds=SOON).send(post(URL))


def test_a_function_that_needs_no_loop_is_called_without_one() -> None:
    transport = transport_for(of_one)
    assert not transport.needs_loop
    assert drive(transport.send(post(URL))).status == 202
    assert transport_for(AsyncFunction()).needs_loop
