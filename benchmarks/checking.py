"""Checks of the example receiver: in process, and at a URL."""

import asyncio

from leanbe_emitter.conformance.check_app import AppCheck
from leanbe_emitter.conformance.check_url import UrlCheck, Wanted
from leanbe_emitter.conformance.example.flaws import NONE, RECEIVERS
from leanbe_emitter.conformance.example.receiver import ExampleReceiver, Incoming, State
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.delivery.in_process.functions import ReceivedRequest
from leanbe_emitter.library.runtime.awaitables import drive

#: The secret of all receivers here; it protects nothing.
SECRET = "whsec_test"  # noqa: S105 - the same


def check_in_process() -> Report:
    """Run all checks of an example receiver without a flaw, as a function of this process."""
    receiver = RECEIVERS[NONE](SECRET, state=State(), pause=asyncio.sleep)
    app = _as_function(receiver)
    return drive(AppCheck(app, secret=SECRET, observe=receiver.state.observation).run())


def check_at(url: str, *, is_observed: bool) -> Report:
    """Run all checks of an example receiver that listens at a URL."""
    observe_url = f"{url}effects" if is_observed else ""
    wanted = Wanted(url=f"{url}hook", secret=SECRET, observe_url=observe_url)
    return asyncio.run(UrlCheck(wanted).run())


def _as_function(receiver: ExampleReceiver) -> object:
    def answer(request: ReceivedRequest) -> tuple[int, bytes]:
        reply = drive(receiver.answer(_incoming(request)))
        return reply.status, reply.body

    return answer


def _incoming(request: ReceivedRequest) -> Incoming:
    return Incoming(
        method=request.method,
        path="/",
        content_type=request.header("Content-Type") or "",
        pieces=(request.body,),
    )
