"""The lifespan of an ASGI app: it starts before the first request and stops after the last one.

The lifespan runs in a task with its own deadlines, because an app can hang here too. An app that
does not support the lifespan protocol is used without it, as servers do.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from leanbe_emitter.delivery.in_process.app_errors import AppErrors, During, describe_error
from leanbe_emitter.delivery.in_process.asgi_exchange import Message, lifespan_scope
from leanbe_emitter.delivery.in_process.blocking_code import WATCHDOG, Blocked
from leanbe_emitter.delivery.in_process.call import Call
from leanbe_emitter.delivery.in_process.stack_location import locate_tasks

logger = logging.getLogger(__name__)

AsgiApp = Callable[
    [Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

#: How long an app may take to start, and to stop, in seconds.
DEADLINE_SECONDS = 5.0


class Lifespan:
    """The lifespan of one app in one event loop.

    Attributes:
        state: the objects that the app stored at its start; each request gets a copy.
    """

    def __init__(self, app: AsgiApp, *, errors: AppErrors, deadline_seconds: float) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._errors = errors
        self._deadline_seconds = deadline_seconds
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._said: dict[str, asyncio.Future[Message]] = {
            step: self._loop.create_future() for step in ("startup", "shutdown")
        }
        self._task: asyncio.Task[None] | None = None
        self._during = During.STARTUP

    async def start(self) -> str:
        """Start the app.

        Returns:
            The reason why the app did not start; empty if it started or does not support the
            protocol.
        """
        failure = await self._step("startup", During.STARTUP)
        return f"the app did not start: {failure}" if failure else ""

    async def stop(self) -> str:
        """Stop the app, if it was started and still runs.

        Returns:
            The reason why the app did not stop in order; empty if it did.
        """
        if self._task is None or self._task.done():
            return ""
        failure = await self._step("shutdown", During.SHUTDOWN)
        await self._cancel()
        return f"the app did not stop in order: {failure}" if failure else ""

    async def _step(self, step: str, during: During) -> str:
        call, said = Call(seconds=self._deadline_seconds), self._said[step]
        self._during = during
        self._inbox.put_nowait({"type": f"lifespan.{step}"})
        with WATCHDOG.watching(call):
            if self._task is None:
                self._task = call.run(self._loop.create_task, self._run())
                self._task.add_done_callback(self._over)
            either: set[asyncio.Future[Any]] = {said, self._task}
            await asyncio.wait(either, timeout=call.seconds, return_when=asyncio.FIRST_COMPLETED)
        if call.blocked_at or not (said.done() or self._task.done()):
            return await self._hanging(call)
        if said.done():
            return await self._reported(said.result())
        return self._ended()

    async def _hanging(self, call: Call) -> str:
        assert self._task is not None  # noqa: S101 - a step has begun
        where = call.blocked_at or locate_tasks([self._task])
        await self._cancel()
        return f"it hangs at {where}, after {call.seconds:g} s"

    async def _reported(self, message: Message) -> str:
        """Return the failure that the app reported."""
        if not message["type"].endswith(".failed"):
            return ""
        assert self._task is not None  # noqa: S101 - a step has begun
        await asyncio.wait({self._task}, timeout=self._deadline_seconds)
        failure = self._ended()
        lines = str(message.get("message", "")).strip().splitlines()
        return failure or (lines[-1] if lines else "it did not say why")

    def _ended(self) -> str:
        """Describe the error that ended the task; an app without a lifespan ends without one."""
        assert self._task is not None  # noqa: S101 - a step has begun
        if not self._task.done() or self._task.cancelled() or not self._knows_lifespan():
            return ""
        error = self._task.exception()
        return describe_error(error) if error is not None else ""

    def _over(self, task: asyncio.Task[None]) -> None:
        """Keep the error that the app raised at any time of its lifespan."""
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, Blocked):
            return
        if self._knows_lifespan():
            self._errors.add(error, during=self._during)
        else:
            logger.info("The app knows no lifespan.", extra={"reason": describe_error(error)})

    def _knows_lifespan(self) -> bool:
        return self._said["startup"].done()

    async def _cancel(self) -> None:
        assert self._task is not None  # noqa: S101 - a step has begun
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({self._task}, timeout=self._deadline_seconds)

    async def _run(self) -> None:
        await self._app(lifespan_scope(self.state), self._inbox.get, self._send)

    async def _send(self, message: Message) -> None:
        prefix, _, end = str(message["type"]).rpartition(".")
        said = self._said.get(prefix.removeprefix("lifespan."))
        if end not in {"complete", "failed"} or said is None or said.done():
            raise RuntimeError(f"an ASGI app must not send {message['type']!r} in its lifespan")
        said.set_result(message)
