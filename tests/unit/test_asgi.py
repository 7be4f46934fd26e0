"""An ASGI app in this process: the protocol, answers and errors."""

import asyncio
from typing import Any

import pytest

from leanbe_emitter import WaitTimedOut
from leanbe_emitter.delivery.in_process.asgi_exchange import FRAME_BYTES
from leanbe_emitter.delivery.network.transport import Answer, AnswerLimits, Unknown
from tests.support.event_loops import run_in_loop, run_in_virtual_time
from tests.support.in_process_apps import (
    END,
    START,
    URL,
    Message,
    Receive,
    RecordingApp,
    Send,
    app_sending,
    body,
    described_errors,
    open_transport,
    start,
    wait_for_ever,
    yield_to_loop,
)
from tests.support.network_sender import BODY, post


@run_in_loop
async def test_the_app_gets_the_request_as_a_server_would_hand_it_over() -> None:
    app = RecordingApp()
    async with open_transport(app) as transport:
        await transport.send(post("http://testserver:2/caf%C3%A9?a=%20b", extra=(("X-Tag", "é"),)))
    (scope,) = app.scopes
    assert {key: scope[key] for key in scope if key not in {"headers", "asgi", "state"}} == {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/café",
        "raw_path": b"/caf%C3%A9",
        "query_string": b"a=%20b",
        "root_path": "",
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 2),
        "extensions": {},
    }
    assert scope["asgi"]["version"] == "3.0"
    assert scope["headers"][0] == (b"host", b"testserver:2")
    assert scope["headers"][-1] == (b"x-tag", b"\xe9")
    assert dict(scope["headers"])[b"content-length"] == str(len(BODY)).encode()


@run_in_loop
async def test_the_body_comes_as_bytes_and_after_the_answer_the_disconnect() -> None:
    app = RecordingApp()
    async with open_transport(app) as transport:
        await transport.send(post(URL))
        await transport.settle()
    assert app.messages == [
        {"type": "http.request", "body": BODY, "more_body": False},
        {"type": "http.disconnect"},
    ]


@pytest.mark.parametrize("length", [0, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES])
@run_in_loop
async def test_a_large_body_comes_in_frames(length: int) -> None:
    app, sent = RecordingApp(), bytes(range(256)) * (length // 256) + b"x" * (length % 256)
    async with open_transport(app) as transport:
        await transport.send(post(URL, body=sent))
        await transport.settle()
    frames = app.messages[:-1]
    assert b"".join(each["body"] for each in frames) == sent
    assert [each["more_body"] for each in frames] == [True] * (len(frames) - 1) + [False]
    assert len(frames) == max(1, -(-length // FRAME_BYTES))


@run_in_loop
async def test_the_answer_comes_back_whole() -> None:
    headers = ((b"x-a", b"1"), (b"X-A", b"2"))
    async with open_transport(
        app_sending(start(201, *headers), body(b"he", more=True), body(b"llo"))
    ) as transport:
        answer = await transport.send(post(URL))
    assert answer == Answer(
        status=201,
        reason="Created",
        headers=(("x-a", "1"), ("X-A", "2")),
        body=b"hello",
        body_length=5,
    )


@run_in_loop
async def test_an_answer_is_kept_up_to_the_caps() -> None:
    app = app_sending(start(200, (b"a", b"1"), (b"b", b"2")), body(b"abc", more=True), body(b"def"))
    async with open_transport(
        app, limits=AnswerLimits(answer_bytes=4, header_bytes=3)
    ) as transport:
        answer = await transport.send(post(URL))
    assert (answer.body, answer.body_length, answer.headers) == (b"abcd", 6, (("a", "1"),))


@run_in_loop
async def test_the_answer_is_taken_at_the_last_frame_and_settle_waits_for_the_rest() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(START)
        await send(END)
        await may_go_on.wait()
        done.append("background")

    may_go_on, done = asyncio.Event(), list[str]()
    async with open_transport(app, lifespan=False) as transport:
        assert (await transport.send(post(URL))).status == 204
        assert done == []
        may_go_on.set()
        await transport.settle()
        assert done == ["background"]


@run_in_virtual_time
async def test_settle_waits_for_a_condition_of_the_tests_own() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive
        consumers.append(asyncio.create_task(consume()))
        await send(START)
        await send(END)

    async def consume() -> None:
        await asyncio.sleep(0)
        consumed.append("it")

    consumers, consumed = list[asyncio.Task[None]](), list[str]()
    async with open_transport(app, lifespan=False) as transport:
        await transport.send(post(URL))
        await transport.settle(until=lambda: consumed == ["it"])
        with pytest.raises(WaitTimedOut, match="the condition of until= was still false"):
            await transport.settle(until=lambda: False, timeout_seconds=0.05)


@run_in_virtual_time
async def test_settle_names_the_line_of_what_does_not_end() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive
        await send(START)
        await send(END)
        await wait_for_ever()

    async with open_transport(app, lifespan=False) as transport:
        await transport.send(post(URL))
        with pytest.raises(
            WaitTimedOut, match=r"still at work at .*apps\.py:\d+ in wait_for_ever: awai"
        ):
            await transport.settle(timeout_seconds=3)


@run_in_loop
async def test_an_error_in_the_app_is_a_500_on_record_and_kept() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del receive, send
        assert scope["type"] == "http"
        raise ValueError("no such idea")

    async with open_transport(app) as transport:
        answer = await transport.send(post(URL))
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert answer.remark.startswith("the app raised ValueError: no such idea (at ")
        assert "test_asgi.py" in answer.remark
        (app_error,) = transport.errors.take()
        assert (str(app_error.error), app_error.during, app_error.url) == (
            "no such idea",
            "request",
            URL,
        )
        assert transport.errors.take() == []


@run_in_virtual_time
async def test_an_error_that_is_raised_after_the_500_is_kept_and_named_too() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(start(500), body(b"sorry"))(scope, receive, send)
        await yield_to_loop()
        raise ValueError("as Starlette does it")

    async with open_transport(app, lifespan=False) as transport:
        answer = await transport.send(post(URL))
        assert (answer.status, answer.body) == (500, b"sorry")
        assert answer.remark.startswith("the app raised ValueError: as Starlette does it")
        assert described_errors(transport.errors.take()) == [
            "ValueError: as Starlette does it (request)"
        ]


@run_in_loop
async def test_an_error_in_the_background_is_kept_and_changes_no_answer() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(START, END)(scope, receive, send)
        raise ValueError("too late")

    async with open_transport(app, lifespan=False) as transport:
        answer = await transport.send(post(URL))
        await transport.settle()
        assert (answer.status, answer.remark) == (204, "")
        assert described_errors(transport.errors.take()) == ["ValueError: too late (background)"]


@run_in_loop
async def test_an_outcome_of_a_test_framework_in_an_asgi_app_is_kept_too() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        pytest.fail("not this event")

    async with open_transport(app, lifespan=False) as transport:
        assert (await transport.send(post(URL))).status == 500
        assert described_errors(transport.errors.take()) == ["Failed: not this event (request)"]


@run_in_loop
async def test_an_answer_that_breaks_off_is_unknown_and_what_came_is_kept() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(start(200), body(b"abc", more=True))(scope, receive, send)
        raise ValueError("broken")

    async with open_transport(app, lifespan=False) as transport:
        with pytest.raises(Unknown, match="broke off: the app raised ValueError: broken") as caught:
            await transport.send(post(URL))
    assert caught.value.answer == Answer(status=200, reason="OK", body=b"abc", body_length=3)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((), "it returned without a complete answer"),
        ((body(b"x"),), "must not send 'http.response.body' here"),
        (({"type": "websocket.accept"},), "must not send 'websocket.accept' here"),
        (({"type": "http.response.start", "status": "200"},), "needs a status"),
        ((start(200, ("a", "b")),), "headers (pairs of bytes)"),  # type: ignore[arg-type]
    ],
)
@run_in_loop
async def test_an_app_that_breaks_the_protocol_gets_a_500(
    messages: tuple[Message, ...], said: str
) -> None:
    async with open_transport(app_sending(*messages)) as transport:
        answer = await transport.send(post(URL))
    assert answer.status == 500
    assert said in answer.remark


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((start(200), start(200)), "must not send 'http.response.start' here"),
        ((start(200), body("x")), "must be bytes"),  # type: ignore[arg-type]
        ((start(200, (b"content-length", b"1")), body(b"xy")), "longer than its Content-Length"),
        ((start(200, (b"content-length", b"3")), body(b"xy")), "shorter than its Content-Length"),
        ((start(200),), "it returned without a complete answer"),
    ],
)
@run_in_loop
async def test_an_answer_that_breaks_the_protocol_is_unknown(
    messages: tuple[Message, ...], said: str
) -> None:
    async with open_transport(app_sending(*messages)) as transport:
        with pytest.raises(Unknown, match=said):
            await transport.send(post(URL))


@run_in_loop
async def test_an_app_that_still_runs_is_cancelled_when_the_transport_is_closed() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(START, END)(scope, receive, send)
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    ended = list[str]()
    async with open_transport(app, lifespan=False) as transport:
        await transport.send(post(URL))
    assert ended == ["cancelled"]
