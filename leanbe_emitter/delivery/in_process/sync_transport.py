"""A receiver that is called like a function: the caller's thread does it, whatever runs there.

So it sees what the test wrote (Django's open transaction, Flask's data in memory). In the main
thread it is interrupted at its deadline; elsewhere an answer that comes too late is on record as
that.
"""

import asyncio
from collections.abc import Callable

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.in_process.app_errors import AppErrors, During
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS, Call
from leanbe_emitter.delivery.in_process.error_answers import describe_error, internal_server_error
from leanbe_emitter.delivery.in_process.frameworks import (
    keep_django_connections,
    watch_for_swallowed_errors,
)
from leanbe_emitter.delivery.in_process.watchdog import WATCHDOG, Blocked
from leanbe_emitter.delivery.network.answer_buffer import KEPT, AnswerBuffer, AnswerLimits
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown

#: Puts a request to a receiver, and its answer where it belongs.
CallReceiver = Callable[[OutgoingRequest, AnswerBuffer], None]


class SyncTransport:
    """Sends requests by calling a function.

    Args:
        ask: puts a request to the receiver; what it raises, the receiver raised.
        app: the receiver itself, for its framework's sake.
        answer_seconds: how long it may take to answer.
        kept: how much of an answer is kept.

    Attributes:
        errors: what the receiver raised.
        needs_loop: False: it is called where no event loop has to run.
        is_in_loop: False: nothing of it lives in one.
    """

    needs_loop = False
    is_in_loop = False

    def __init__(
        self,
        ask: CallReceiver,
        *,
        app: object,
        answer_seconds: float = ANSWER_SECONDS,
        kept: AnswerLimits = KEPT,
    ) -> None:
        self.errors = AppErrors()
        watch_for_swallowed_errors(app)
        watch_for_swallowed_errors(getattr(app, "app", None))  # behind a test client
        self._ask = ask
        self._answer_seconds = answer_seconds
        self._kept = kept

    async def send(self, request: OutgoingRequest) -> Answer:
        """Call the receiver once, without ever suspending, and return its answer.

        Raises:
            Unknown: there was no complete answer in time.
        """
        return self.call(request)

    def call(self, request: OutgoingRequest) -> Answer:
        """Do what ``send`` does, as a plain function."""
        call = Call(seconds=min(request.timeout_seconds, self._answer_seconds))
        answer, watch = AnswerBuffer(self._kept), stopwatch()
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
        """Nothing goes on after an answer."""

    async def aclose(self) -> None:
        """Nothing is open."""

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
