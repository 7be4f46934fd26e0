"""A transport without a network: it answers by a script, and keeps the requests."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown, Unreachable

Reply = Answer | Unreachable | Unknown | BaseException
OK = Answer(status=204, reason="No Content")


class ScriptedTransport:
    """Answers each request by the next reply, and by 204 when no reply is left."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[OutgoingRequest] = []
        self.replies = list(replies)

    async def send(self, request: OutgoingRequest) -> Answer:
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else OK
        if isinstance(reply, BaseException):
            raise reply
        return reply

    async def aclose(self) -> None:
        """Do nothing: the transport holds no resources."""


class ActingTransport(ScriptedTransport):
    """Calls a function during each request, then answers it."""

    def __init__(self, do: Callable[[], object], *replies: Reply) -> None:
        super().__init__(*replies)
        self._do = do

    async def send(self, request: OutgoingRequest) -> Answer:
        self._do()
        return await super().send(request)


class HoldingTransport(ScriptedTransport):
    """Holds back the answers of some URLs until the test releases them."""

    def __init__(self, *replies: Reply, urls: Iterable[str] | None = None) -> None:
        super().__init__(*replies)
        self._urls = None if urls is None else set(urls)
        self._let_go = asyncio.Event()
        self._began = asyncio.Condition()
        self.most_at_once = 0
        self.at_once = 0

    async def send(self, request: OutgoingRequest) -> Answer:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = await super().send(request)
            async with self._began:
                self._began.notify_all()
            if self._urls is None or request.url in self._urls:
                await self._let_go.wait()
            return answer
        finally:
            self.at_once -= 1

    async def sent(self, count: int) -> None:
        """Wait until the transport has got a number of requests."""
        async with self._began:
            await self._began.wait_for(lambda: len(self.requests) >= count)

    def let_go(self) -> None:
        """Release all held and all later answers."""
        self._let_go.set()


class ScriptedCallbackTransport(ScriptedTransport):
    """Sends without tasks (a ``CallbackTransport``), and answers when the test says so.

    Args:
        replies: replies as those of ``ScriptedTransport``, without ``Unreachable``.
        waits: whether requests wait for ``let_go``.
    """

    def __init__(self, *replies: Reply, waits: bool = False) -> None:
        super().__init__(*replies)
        self._waits = waits
        self.in_flight: list[_Begun] = []

    def prepare(self, request: OutgoingRequest) -> "_Prepared":
        return _Prepared(self, request)

    def begin(self, request: OutgoingRequest, callback: Callable[[Any], object]) -> "_Begun":
        self.requests.append(request)
        begun = _Begun(self.in_flight, callback)
        self.in_flight.append(begun)
        if not self._waits:
            asyncio.get_running_loop().call_soon(self.let_go)
        return begun

    def let_go(self) -> None:
        """Answer all requests in flight."""
        for begun in list(self.in_flight):
            begun.cancel()
            begun.callback(self.replies.pop(0) if self.replies else OK)


@dataclass(frozen=True)
class _Prepared:
    transport: ScriptedCallbackTransport
    request: OutgoingRequest

    def begin(self, body: bytes, callback: Callable[[Any], object], /) -> "_Begun":
        return self.transport.begin(replace(self.request, body=body), callback)


@dataclass(frozen=True, eq=False)
class _Begun:
    in_flight: "list[_Begun]"
    callback: Callable[[Any], object]

    def cancel(self) -> None:
        self.in_flight.remove(self)
