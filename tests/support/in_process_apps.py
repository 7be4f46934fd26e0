"""Raw ASGI and WSGI apps for tests, and helpers to call receivers in this process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from leanbe_emitter.delivery.in_process.app_errors import AppError
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.detect import transport_for
from leanbe_emitter.delivery.in_process.lifespan import AsgiApp
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.network_sender import post
from tests.support.waiting import PATIENCE_SECONDS

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

URL = "http://testserver/hooks/leanbe"
#: How long a test waits for an app that hangs, in seconds. Apps reach the line at which they hang
#: within this time, also on a busy machine.
SOON = 0.75

START: Message = {"type": "http.response.start", "status": 204, "headers": []}
END: Message = {"type": "http.response.body"}


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    """Return the message that starts an answer."""
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(piece: bytes, *, more: bool = False) -> Message:
    """Return a message with a part of an answer's body."""
    return {"type": "http.response.body", "body": piece, "more_body": more}


def app_sending(*messages: Message) -> AsgiApp:
    """Return an app that sends these messages and supports no lifespan."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await receive()
        for message in messages:
            await send(message)

    return app


def app_noting_lifespan(steps: list[str]) -> AsgiApp:
    """Return an app that answers 204 and notes the steps of its lifespan."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app_sending(START, END)(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            steps.append((await receive())["type"])
            await send({"type": f"lifespan.{step}.complete"})

    return app


def raising_late(error: Exception) -> AsgiApp:
    """Return an app that answers 204 and raises the error some time later."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await app_sending(START, END)(scope, receive, send)
        await yield_to_loop(100)
        raise error

    return app


class RecordingApp:
    """An app that notes every scope and message that it gets, and answers 204."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.messages: list[Message] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.scopes.append(scope)
        while not self.messages or self.messages[-1].get("more_body"):
            self.messages.append(await receive())
        await send(START)
        await send(END)
        self.messages.append(await receive())


@asynccontextmanager
async def open_transport(app: AsgiApp, **options: Any) -> AsyncIterator[AsgiTransport]:
    """Yield a transport to the app, and close it when the block ends."""
    transport = AsgiTransport(app, **{"answer_seconds": PATIENCE_SECONDS, **options})
    try:
        yield transport
    finally:
        await transport.aclose()


def described_errors(errors: list[AppError]) -> list[str]:
    """Return each error as its type, its message and the moment of the error."""
    return [f"{type(each.error).__name__}: {each.error} ({each.during})" for each in errors]


async def wait_for_ever() -> None:
    """Wait without end."""
    await asyncio.get_running_loop().create_future()


def block_thread() -> None:
    """Block the thread; the watchdog interrupts this long before its end."""
    time.sleep(20)


async def yield_to_loop(count: int = 10) -> None:
    """Let the event loop run its other tasks a number of times."""
    for _ in range(count):
        await asyncio.sleep(0)


def answers_of(app: Any, *bodies: bytes, url: str = URL) -> list[Answer]:
    """Return a receiver's answers to bodies that are sent one after the other."""
    transport = transport_for(app, answer_seconds=PATIENCE_SECONDS)

    async def answers() -> list[Answer]:
        found = [await transport.send(post(url, body=sent)) for sent in bodies]
        await transport.aclose()
        return found

    # Flask's asynchronous views cannot run in a thread with an event loop.
    return asyncio.run(answers()) if isinstance(transport, AsgiTransport) else drive(answers())
