"""Django's ASGI handler as a receiver.

Django's synchronous views must run on the caller's thread, or they do not see the test's open
transaction. Django's ``async_to_sync`` runs them there. It gives each call an event loop of its own
in another thread, so the watchdog keeps the deadline on the caller's thread.
"""

import sys
from typing import Any

from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.call import Call
from leanbe_emitter.delivery.in_process.watchdog import WATCHDOG
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown


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
