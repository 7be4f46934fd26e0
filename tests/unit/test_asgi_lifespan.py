"""An ASGI app's lifespan: once, in the loop of its requests, under a deadline of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.network.transport import Unreachable
from tests.support.event_loops import run_in_loop, run_in_virtual_time
from tests.support.in_process_apps import (
    END,
    SOON,
    START,
    URL,
    Receive,
    Send,
    app_sending,
    block_thread,
    described_errors,
    open_transport,
    wait_for_ever,
    yield_to_loop,
)
from tests.support.network_sender import post


def answering_with(
    lifespan: Callable[[Any, Receive, Send], Awaitable[None]],
) -> Callable[[Any, Receive, Send], Awaitable[None]]:
    """Return an app with this lifespan that answers 204."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(scope, receive, send)
        else:
            scopes.append(scope)
            await app_sending(START, END)(scope, receive, send)

    scopes = list[Any]()
    app.scopes = scopes  # type: ignore[attr-defined]
    return app


@run_in_loop
async def test_the_lifespan_runs_once_and_its_state_is_copied_into_each_request() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        steps.append((await receive())["type"])
        scope["state"]["db"] = steps
        await send({"type": "lifespan.startup.complete"})
        steps.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    steps = list[str]()
    app = answering_with(lifespan)
    async with open_transport(app) as transport:
        await asyncio.gather(*(transport.send(post(URL)) for _ in range(3)))
        assert steps == ["lifespan.startup"]
    assert steps == ["lifespan.startup", "lifespan.shutdown"]
    states = [each["state"] for each in app.scopes]  # type: ignore[attr-defined]
    assert [each["db"] for each in states] == [steps] * 3
    assert states[0] is not states[1]


@run_in_loop
async def test_the_lifespan_can_be_left_to_somebody_else() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        pytest.fail("it was started")

    async with open_transport(answering_with(lifespan), lifespan=False) as transport:
        assert (await transport.send(post(URL))).status == 204
        assert transport.errors.take() == []


@run_in_loop
async def test_an_app_whose_start_fails_is_unreachable_and_says_why() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback\nno database"})

    app = answering_with(lifespan)
    async with open_transport(app) as transport:
        for _ in range(2):
            with pytest.raises(Unreachable, match="the app did not start: no database"):
                await transport.send(post(URL))
    assert app.scopes == []  # type: ignore[attr-defined]


@run_in_loop
async def test_an_error_in_the_start_is_kept() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        await yield_to_loop()
        raise OSError("no such host")

    async with open_transport(answering_with(lifespan)) as transport:
        with pytest.raises(Unreachable, match="not start: the app raised OSError: no such host"):
            await transport.send(post(URL))
        assert described_errors(transport.errors.take()) == ["OSError: no such host (startup)"]


@pytest.mark.parametrize("block", [wait_for_ever, block_thread])
@run_in_virtual_time
async def test_a_start_that_does_not_end_is_unreachable_and_its_line_is_named(
    block: Callable[[], Any],
) -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope, receive, send
        await block()

    async with open_transport(answering_with(lifespan), lifespan_seconds=SOON) as transport:
        with pytest.raises(
            Unreachable, match=rf"did not start: it hangs at .* in {block.__name__}"
        ):
            await transport.send(post(URL))


@run_in_loop
async def test_an_error_when_it_stops_is_kept() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise OSError("still in use")

    async with open_transport(answering_with(lifespan)) as transport:
        await transport.send(post(URL))
    assert described_errors(transport.errors.take()) == ["OSError: still in use (shutdown)"]


def test_in_another_loop_the_app_is_started_again() -> None:
    async def lifespan(scope: Any, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        starts.append(asyncio.get_running_loop())
        await send({"type": "lifespan.startup.complete"})
        await receive()

    starts = list[object]()
    transport = calling_twice(answering_with(lifespan))
    assert transport == [204, 204]
    assert len(set(starts)) == 2


def calling_twice(app: Callable[[Any, Receive, Send], Awaitable[None]]) -> list[int]:
    """Call an app through one transport, in two loops."""
    transport = AsgiTransport(app)

    async def call() -> int:
        return (await transport.send(post(URL))).status

    return [asyncio.run(call()) for _ in range(2)]
