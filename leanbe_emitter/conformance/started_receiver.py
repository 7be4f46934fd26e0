"""A receiver that the run starts: it waits until the receiver listens, kills it, starts it again.

The receiver leads a process group of its own, so that nothing of it outlives the run.
"""

import asyncio
import os
import shlex
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import ReceiverUnavailable
from leanbe_emitter.target_rules import Target

#: How long a receiver may take until it listens, in seconds.
START_SECONDS = 30.0
#: How long a receiver may take to end after SIGTERM, in seconds.
STOP_SECONDS = 3.0
_STEP_SECONDS = 0.02


class StartedReceiver:
    """A receiver in a process of its own.

    Args:
        words: the command.
        url: where it listens.
        pause: waits for so many seconds.
    """

    def __init__(
        self, words: list[str], *, url: str, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self._words = words
        self._target = Target.of(url)
        self._pause = pause
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            ReceiverUnavailable: it ends, or does not listen in time.
        """
        if await self._listens():
            raise ReceiverUnavailable(
                f"Something listens at {self._target.authority} already.",
                hint="End it first: the run starts the receiver itself.",
            )
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.DEVNULL, stdout=2, start_new_session=True
            )
        except OSError as error:
            raise ReceiverUnavailable(
                f"The receiver {self._words[0]!r} cannot be started: {error.strerror}."
            ) from error
        deadline = stopwatch() + START_SECONDS
        while not await self._listens():
            if self._process.returncode is not None:
                raise ReceiverUnavailable(
                    f"The receiver ended with {self._process.returncode} before it listened.",
                    hint=f"Try it by hand: {shlex.join(self._words)}",
                )
            if stopwatch() > deadline:
                raise ReceiverUnavailable(
                    f"The receiver does not listen at {self._target.authority} after "
                    f"{START_SECONDS:g} s."
                )
            await self._pause(_STEP_SECONDS)

    async def kill(self) -> None:
        """Kill it with SIGKILL, as a crash of its machine would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it with SIGTERM, and with SIGKILL if it does not end."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        await self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._target.host, self._target.port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def started(receiver: StartedReceiver | None) -> AsyncIterator[StartedReceiver | None]:
    """Start a receiver for the time of the block, if there is one."""
    if receiver is None:
        yield None
        return
    try:
        await receiver.start()
        yield receiver
    finally:
        await receiver.stop()
