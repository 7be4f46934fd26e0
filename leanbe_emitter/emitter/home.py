"""The event loop of one handle, and attempts that are made around it.

Attempts are driven by hand on the caller's thread, where no event loop runs: Django and whoever
else forbids one can be called there. Only what needs a loop, the network or an ASGI app, enters
this one for as long as it lasts. The loop lives as long as the handle: connections, and what an
app made in it, belong to it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.emitter.interrupts import Interrupts

T = TypeVar("T")


class Home:
    """Runs what needs an event loop.

    Args:
        meanwhile: what goes on in the loop while something runs in it.

    Attributes:
        interrupts: Ctrl-C, which cancels what runs here.
    """

    def __init__(self, *, meanwhile: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self.interrupts = Interrupts()
        self._runner = asyncio.Runner(loop_factory=_loop)
        self._meanwhile = meanwhile

    async def enter(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work in the loop that runs here or, where there is none, in this one."""
        if is_running_loop():
            return await work()
        try:
            return self.run(self._accompanied(work))
        except asyncio.CancelledError:
            self.interrupts.check()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in this loop, on this thread."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the loop."""
        self._runner.close()

    async def _accompanied(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self.interrupts.cancelling():
            async with self._meanwhile():
                return await work()


class _Threads(ThreadPoolExecutor):
    """The threads of a loop, which does not wait for them when it is closed.

    Code of a receiver, or a name's resolution, may hang in one of them for ever.
    """

    def shutdown(self, wait: bool = True, **_: bool) -> None:  # noqa: ARG002, FBT001, FBT002 - not ours
        """Begin no more work; what runs goes on by itself."""
        super().shutdown(wait=False, cancel_futures=True)


def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Threads(thread_name_prefix="asyncio_leanbe"))
    return loop
