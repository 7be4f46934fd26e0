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
from leanbe_emitter.delivery.in_process.error_answers import failed, raised
from leanbe_emitter.delivery.in_process.frameworks import keeping_connections, notice_swallowed
from leanbe_emitter.delivery.in_process.watchdog import WATCHDOG, Blocked
from leanbe_emitter.delivery.network.answer_buffer import DEFAULT_LIMITS, AnswerBuffer, AnswerLimits
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown

#: Puts a request to a receiver, and its answer where it belongs.
Ask = Callable[[OutgoingRequest, AnswerBuffer], None]


class CallingTransport:
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
        ask: Ask,
        *,
        app: object,
        answer_seconds: float = ANSWER_SECONDS,
        kept: AnswerLimits = DEFAULT_LIMITS,
    ) -> None:
        self.errors = AppErrors()
        notice_swallowed(app)
        notice_swallowed(getattr(app, "app", None))  # behind a test client
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
        came, watch = AnswerBuffer(self._kept), stopwatch()
        with WATCHDOG.watching(call), keeping_connections():
            error = self._error(call, request, came)
        taken = stopwatch() - watch
        if call.blocked_at:
            raise Unknown(call.too_late, answer=came.so_far())
        for each in filter(None, (error, *call.noticed)):
            self.errors.add(each, during=During.REQUEST, url=request.url)
        if call.is_overdue(taken):
            reason = f"{call.too_late}: it came after {taken:.1f} s"
            raise Unknown(reason, answer=came.so_far())
        return _answer(came, error, noticed=next(iter(call.noticed), None))

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Nothing goes on after an answer."""

    async def aclose(self) -> None:
        """Nothing is open."""

    def _error(
        self, call: Call, request: OutgoingRequest, came: AnswerBuffer
    ) -> BaseException | None:
        try:
            call.run(self._ask, request, came)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Blocked:
            return None
        except BaseException as error:  # noqa: BLE001 - pytest.fail() raises more than Exception
            return error
        return None


def _answer(
    came: AnswerBuffer, error: BaseException | None, *, noticed: BaseException | None
) -> Answer:
    if error is None and came.is_whole:
        known = noticed if came.is_server_error else None
        return came.whole(remark=raised(known) if known is not None else "")
    error = error or RuntimeError("it returned without a complete answer")
    if came.is_begun:
        raise Unknown(f"the answer broke off: {raised(error)}", answer=came.so_far())
    return failed(error)
