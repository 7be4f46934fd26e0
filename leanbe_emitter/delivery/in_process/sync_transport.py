"""A receiver that is called as a function, on the caller's thread, with or without an event loop.

So the receiver sees the test's data (Django's open transaction, Flask's data in memory). In the
main thread, the watchdog interrupts the call at its deadline. In another thread, an answer that
comes too late is recorded as late.
"""

import asyncio
from collections.abc import Callable

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.in_process.app_errors import (
    AppErrors,
    During,
    describe_error,
    internal_server_error,
)
from leanbe_emitter.delivery.in_process.blocking_code import WATCHDOG, Blocked
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS, Call
from leanbe_emitter.delivery.in_process.frameworks import (
    keep_django_connections,
    watch_for_swallowed_errors,
)
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerBuffer,
    AnswerLimits,
    OutgoingRequest,
    Unknown,
)

#: Passes a request to a receiver and writes its answer into the buffer.
CallReceiver = Callable[[OutgoingRequest, AnswerBuffer], None]


class SyncTransport:
    """Transport that sends requests by calling a function.

    Args:
        ask: passes a request to the receiver; it raises the errors of the receiver.
        app: the receiver itself, whose framework may swallow errors.
        answer_seconds: the time in which the receiver must answer.
        limits: how much of an answer is stored.

    Attributes:
        errors: the errors that the receiver raised.
        needs_loop: False: no event loop has to run in the caller's thread.
        is_in_loop: False: the transport has no tasks in an event loop.
    """

    needs_loop = False
    is_in_loop = False

    def __init__(
        self,
        ask: CallReceiver,
        *,
        app: object,
        answer_seconds: float = ANSWER_SECONDS,
        limits: AnswerLimits = DEFAULT_LIMITS,
    ) -> None:
        self.errors = AppErrors()
        watch_for_swallowed_errors(app)
        watch_for_swallowed_errors(getattr(app, "app", None))  # behind a test client
        self._ask = ask
        self._answer_seconds = answer_seconds
        self._limits = limits

    async def send(self, request: OutgoingRequest) -> Answer:
        """Call the receiver once, without suspending, and return its answer."""
        return self.call(request)

    def call(self, request: OutgoingRequest) -> Answer:
        """Call the receiver as ``send`` does, as a plain function."""
        call = Call(seconds=min(request.timeout_seconds, self._answer_seconds))
        answer, watch = AnswerBuffer(self._limits), stopwatch()
        with WATCHDOG.watching(call), keep_django_connections():
            error = self._error(call, request, answer)
        taken = stopwatch() - watch
        if call.blocked_at:
            raise Unknown(call.timeout_reason, answer=answer.so_far())
        for each in filter(None, (error, *call.swallowed_errors)):
            self.errors.add(each, during=During.REQUEST, url=request.url)
        if call.is_overdue(taken):
            reason = f"{call.timeout_reason}: it came after {taken:.1f} s"
            raise Unknown(reason, answer=answer.so_far())
        return _answer(answer, error, noticed=next(iter(call.swallowed_errors), None))

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Return at once: no work continues after an answer."""

    async def aclose(self) -> None:
        """Do nothing: the transport holds no resources."""

    def _error(
        self, call: Call, request: OutgoingRequest, answer: AnswerBuffer
    ) -> BaseException | None:
        try:
            call.run(self._ask, request, answer)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Blocked:
            return None
        except BaseException as error:  # noqa: BLE001 - pytest.fail() raises more than Exception
            return error
        return None


def _answer(
    answer: AnswerBuffer, error: BaseException | None, *, noticed: BaseException | None
) -> Answer:
    if error is None and answer.is_whole:
        known = noticed if answer.is_server_error else None
        return answer.whole(remark=describe_error(known) if known is not None else "")
    error = error or RuntimeError("it returned without a complete answer")
    if answer.is_begun:
        raise Unknown(f"the answer broke off: {describe_error(error)}", answer=answer.so_far())
    return internal_server_error(error)
