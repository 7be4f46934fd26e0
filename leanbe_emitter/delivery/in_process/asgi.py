"""An ASGI app as a receiver: Leanbe calls it in this process by its protocol, without a port.

The transport takes the answer at the last frame of the body. The app may continue to work in its
event loop after that, and ``settle`` waits for this work. If the app does not answer in time, it
gets ``http.disconnect``, as if the other side hung up, and may continue to work. The attempt is
then ``Unknown``, and its reason names the line at which the app hangs. If the app raises an error,
the transport answers 500, as every server does, and keeps the error.

The transport serves one event loop at a time. It starts the app again in another loop, because
objects that an app made in one loop cannot be used in another one.

Django's synchronous views must run on the caller's thread, or they do not see the test's open
transaction. Django's ``async_to_sync`` runs them there. It gives each call an event loop of its own
in another thread, so the watchdog keeps the deadline on the caller's thread.
"""

import asyncio
import sys
from collections.abc import Callable, Collection
from typing import Any

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.delivery.in_process.app_errors import (
    AppErrors,
    During,
    describe_error,
    internal_server_error,
)
from leanbe_emitter.delivery.in_process.asgi_exchange import Exchange, http_scope
from leanbe_emitter.delivery.in_process.blocking_code import WATCHDOG, start_threads_as_daemons
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS, SETTLE_SECONDS, Call
from leanbe_emitter.delivery.in_process.frameworks import (
    keep_django_connections,
    watch_for_swallowed_errors,
)
from leanbe_emitter.delivery.in_process.lifespan import DEADLINE_SECONDS, AsgiApp, Lifespan
from leanbe_emitter.delivery.in_process.stack_location import locate_tasks
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerLimits,
    OutgoingRequest,
    Unknown,
    Unreachable,
)
from leanbe_emitter.errors import WaitTimedOut

#: How long to wait for the error behind a 500, in seconds. Frameworks answer first, and raise at
#: once after that; a busy machine may need longer.
RAISE_SECONDS = 1.0
#: How long the remaining work of an app may take before it is cancelled, in seconds.
GRACE_SECONDS = 0.1
#: How often ``settle`` checks its condition, in seconds.
POLL_SECONDS = 0.002


class AsgiTransport:
    """Transport that sends requests to one ASGI app.

    Args:
        app: the app.
        lifespan: whether the transport starts the app before its first request and stops it at the
            end; False leaves both to the caller.
        answer_seconds: the time in which the app must answer.
        lifespan_seconds: the time in which the app must start, and in which it must stop.
        limits: how much of an answer is stored.

    Attributes:
        errors: the errors that the app raised.
        needs_loop: whether an event loop must run in the caller's thread.
    """

    needs_loop = True

    def __init__(
        self,
        app: AsgiApp,
        *,
        lifespan: bool = True,
        answer_seconds: float = ANSWER_SECONDS,
        lifespan_seconds: float = DEADLINE_SECONDS,
        limits: AnswerLimits = DEFAULT_LIMITS,
    ) -> None:
        self.errors = AppErrors()
        watch_for_swallowed_errors(app)
        self._app = app
        self._has_lifespan = lifespan
        self._answer_seconds = answer_seconds
        self._lifespan_seconds = lifespan_seconds
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lifespan: Lifespan | None = None
        self._start: asyncio.Task[str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, request: OutgoingRequest) -> Answer:
        """Call the app once and return its answer."""
        return await self.make(self.new_call(request), request)

    def new_call(self, request: OutgoingRequest) -> Call:
        """Return a call with the deadline of this request."""
        return Call(seconds=min(request.timeout_seconds, self._answer_seconds))

    def scope(self, request: OutgoingRequest) -> dict[str, Any]:
        """Return the ASGI scope of this request."""
        state = self._lifespan.state if self._lifespan is not None else {}
        return http_scope(request, state=state)

    async def make(self, call: Call, request: OutgoingRequest) -> Answer:
        """Make a call; it raises the errors of ``send``."""
        self._serve(asyncio.get_running_loop())
        await self._started()
        exchange = Exchange(request.body, limits=self._limits)
        others = asyncio.all_tasks()
        with WATCHDOG.watching(call), start_threads_as_daemons():
            task = self._begin(call, request, exchange)
            watch = stopwatch()
            try:
                await _ended(call, task, exchange)
            finally:
                exchange.hang_up()
        if exchange.is_complete.done() and call.is_overdue(taken := stopwatch() - watch):
            reason = f"{call.timeout_reason}: it came after {taken:.1f} s"
            raise Unknown(reason, answer=exchange.answer.so_far())
        for error in call.swallowed_errors:
            self.errors.add(error, during=During.REQUEST, url=request.url)
        return _answer(call, task, exchange, others=others)

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float = SETTLE_SECONDS
    ) -> None:
        """Wait until the app has done all its work after its answers.

        Args:
            until: a further condition to wait for. An app whose own tasks never end (the consumer
                of a queue) needs one: such tasks run only while somebody waits.
            timeout_seconds: the longest time to wait.

        Raises:
            WaitTimedOut: the work is not done; the message names the line.
        """
        loop = asyncio.get_running_loop()
        self._serve(loop)
        deadline, is_met = loop.time() + timeout_seconds, until or (lambda: True)
        with WATCHDOG.watching(Call(seconds=timeout_seconds)):
            # Code that makes the condition true may call the app again.
            while (self._tasks or not is_met()) and (left := deadline - loop.time()) > 0:
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=left)
                else:
                    await asyncio.sleep(POLL_SECONDS)
        if self._tasks:
            where = locate_tasks(self._tasks)
            raise WaitTimedOut(
                f"After {timeout_seconds:g} s the app was still at work at {where}.",
                hint="Make the app end, or give it more time: settle(timeout_seconds=...).",
            )
        if not is_met():
            raise WaitTimedOut(
                f"After {timeout_seconds:g} s the condition of until= was still false.",
                hint="Check the work of the app, or give it more time.",
            )

    @property
    def is_in_loop(self) -> bool:
        """Whether the event loop in which the app was called is still open."""
        return self._loop is not None and not self._loop.is_closed()

    async def aclose(self) -> None:
        """Stop the app in its event loop, and cancel its remaining work."""
        if not self.is_in_loop:
            return
        self._serve(asyncio.get_running_loop())
        await self.end_tasks()
        if self._start is not None and self._lifespan is not None:
            await asyncio.wait({self._start})
            await self._lifespan.stop()
        self._lifespan = self._start = None

    async def end_tasks(self) -> None:
        """Give the remaining work of the app a moment to end, then cancel it."""
        if self._tasks:
            # A task that got a disconnect may be ending at this moment.
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._answer_seconds)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            self._loop, self._tasks = loop, set()
            self._lifespan = self._start = None

    async def _started(self) -> None:
        if not self._has_lifespan:
            return
        if self._start is None:
            self._lifespan = Lifespan(
                self._app, errors=self.errors, deadline_seconds=self._lifespan_seconds
            )
            self._start = asyncio.create_task(self._lifespan.start())
        if not self._start.done():
            await asyncio.wait({self._start})
        if failure := self._start.result():
            raise Unreachable(failure)

    def _begin(
        self, call: Call, request: OutgoingRequest, exchange: Exchange
    ) -> asyncio.Task[None]:
        run = self._run(call, self.scope(request), exchange, url=request.url)
        task = call.run(asyncio.get_running_loop().create_task, run)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    async def _run(
        self, call: Call, scope: dict[str, Any], exchange: Exchange, *, url: str
    ) -> None:
        try:
            # The block includes the work after the answer: Django closes its connections then.
            with keep_django_connections():
                await self._app(scope, exchange.receive, exchange.send)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            # The frameworks of tests raise more than Exception: pytest.fail() does.
            self._keep(call, error, is_answered=exchange.is_accepted, url=url)
            raise

    def _keep(self, call: Call, error: BaseException, *, is_answered: bool, url: str) -> None:
        if call.blocked_at and not is_answered:
            return  # the interruption is the attempt's outcome, and no error of the app
        if call.blocked_at:
            error = TimeoutError(f"after its answer the app blocked at {call.blocked_at}")
        during = During.BACKGROUND if is_answered else During.REQUEST
        self.errors.add(error, during=during, url=url)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        _error_of(task)  # asyncio warns of errors that no code has read


async def _ended(call: Call, task: asyncio.Task[None], exchange: Exchange) -> None:
    """Return when the app has answered or has ended, or at the deadline."""
    either = {task, exchange.is_complete}
    ended, _ = await asyncio.wait(either, timeout=call.seconds, return_when=asyncio.FIRST_COMPLETED)
    if not ended and call.is_debugged:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if exchange.is_complete.done() and exchange.answer.is_server_error and not task.done():
        await asyncio.wait({task}, timeout=RAISE_SECONDS)


def _answer(
    call: Call,
    task: asyncio.Task[None],
    exchange: Exchange,
    *,
    others: Collection["asyncio.Task[Any]"],
) -> Answer:
    if exchange.is_complete.done():
        return exchange.answer.whole(remark=_remark(call, task, exchange))
    answer = exchange.answer
    if call.blocked_at or not task.done():
        raise Unknown(_hanging(call, task, others=others), answer=answer.so_far())
    error = _error_of(task) or RuntimeError("it returned without a complete answer")
    if answer.is_begun:
        raise Unknown(f"the answer broke off: {describe_error(error)}", answer=answer.so_far())
    return internal_server_error(error)


def _remark(call: Call, task: asyncio.Task[None], exchange: Exchange) -> str:
    """Name the error for which the framework answered in place of the app."""
    if call.blocked_at:
        return f"after its answer the app blocked at {call.blocked_at}"
    if not exchange.answer.is_server_error:
        return ""
    error = (_error_of(task) if task.done() else None) or next(iter(call.swallowed_errors), None)
    return describe_error(error) if error is not None else ""


def _hanging(
    call: Call, task: asyncio.Task[None], *, others: Collection["asyncio.Task[Any]"]
) -> str:
    if call.blocked_at:
        return call.timeout_reason
    children = asyncio.all_tasks() - {*others, task}
    return f"{call.timeout_reason}: the app hangs at {locate_tasks([*children, task])}"


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError("it was cancelled") if task.cancelled() else task.exception()


class DjangoAsgiTransport(AsgiTransport):
    """Transport that sends requests to Django's ASGI handler."""

    needs_loop = False

    async def send(self, request: OutgoingRequest) -> Answer:
        """Call the handler once: in the running event loop or, without a loop, on this thread."""
        if running_loop() is not None:
            return await super().send(request)
        call = self.new_call(request)
        to_sync: Any = sys.modules["asgiref.sync"].async_to_sync
        try:
            with WATCHDOG.watching(call):
                answer: Answer = to_sync(self._make_whole)(call, request)
        except Unknown as error:
            if not call.blocked_at:
                raise
            # The loop gave up first. The watchdog then interrupted this thread and found the line.
            raise Unknown(call.timeout_reason, answer=error.answer) from error
        return answer

    async def _make_whole(self, call: Call, request: OutgoingRequest) -> Answer:
        """Make a call in a loop that ends with it; the call's remaining work ends first."""
        try:
            return await self.make(call, request)
        finally:
            await self.end_tasks()
