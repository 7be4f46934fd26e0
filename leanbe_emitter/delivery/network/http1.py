"""Our own HTTP/1.1 transport: asyncio sends the bytes, llhttp parses the answers.

A request is written once. If a reused connection ends without an answer, the receiver may have
acted on the request. So the result is ``Unknown``, and this module never sends it again. It tries
another connection only if the system took no byte. To keep that rare, it checks whether the other
side closed an idle connection before it reuses it.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial

from leanbe_emitter.delivery.network.answer_reader import AnswerReader, KnownAnswers, ReadTurns
from leanbe_emitter.delivery.network.connection import Connection, Waiter
from leanbe_emitter.delivery.network.connector import Connector
from leanbe_emitter.delivery.network.resolver import Resolve, SystemResolver
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerLimits,
    OutgoingRequest,
    Unknown,
    Unreachable,
    WireFault,
)
from leanbe_emitter.errors import InvalidTarget
from leanbe_emitter.target_rules import Target, TargetRules, check_url

#: Longest idle time of a reusable connection: less than the 5 s after which Node closes it.
IDLE_SECONDS = 4.0

#: Number of pieces of a slow body.
_PIECES = 10

_CACHED_URLS = 4096
_CACHED_HEADS = 4096

_Key = tuple[str, str, int, str | None, bool]
_Callback = Callable[[Answer | Unknown], object]


class Http1Transport:
    """Send requests over the network, each once, and reuse connections.

    It serves one event loop at a time, and drops the connections of an earlier loop.

    Args:
        rules: where webhooks may point; the URL and the address are checked.
        limits: how much of an answer is stored.
        idle_seconds: the longest idle time of a reusable connection.
        resolve: resolves names to addresses; by default the system's resolver.
    """

    def __init__(
        self,
        *,
        rules: TargetRules,
        limits: AnswerLimits = DEFAULT_LIMITS,
        idle_seconds: float = IDLE_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._rules = rules
        self._limits = limits
        self._known = KnownAnswers()
        self._idle_seconds = idle_seconds
        self._connector = Connector(rules=rules, resolve=resolve or SystemResolver())
        self._targets: dict[str, Target] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[Connection] = set()
        self._idle: dict[_Key, list[Connection]] = {}

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer."""
        target, key, deadline = self._route(request)
        data = _head(request.method, target.path, request.headers) + request.body
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        timeout_seconds = request.timeout_seconds
        connection = self._send_over_idle(
            key, data, waiter=answer, deadline=deadline, timeout_seconds=timeout_seconds
        )
        if connection is None:
            connection = await self._connect(request, target, key, deadline)
            if not connection.send(
                data, waiter=answer, deadline=deadline, timeout_seconds=timeout_seconds
            ):
                raise Unreachable(
                    f"the connection to {target.authority} was over before a byte went out"
                )
        try:
            return await answer
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            self._keep(connection, key)

    def prepare(self, request: OutgoingRequest) -> "_Prepared":
        """Prepare requests that differ from this one in the bytes of their body only."""
        target = self._target(request.url)
        return _Prepared(
            self,
            key=_key(request, target),
            head=_head(request.method, target.path, request.headers),
            timeout_seconds=request.timeout_seconds,
        )

    def begin(
        self, key: _Key, data: bytes, callback: _Callback, *, timeout_seconds: float
    ) -> "_InFlight | None":
        """Send the bytes of a request over an idle connection; return None if there is none."""
        loop = asyncio.get_running_loop()
        self._serve(loop)
        request = _InFlight(callback)
        connection = self._send_over_idle(
            key,
            data,
            waiter=request,
            deadline=loop.time() + timeout_seconds,
            timeout_seconds=timeout_seconds,
        )
        if connection is None:
            return None
        request.went_out(connection, partial(self._keep, connection, key))
        return request

    async def send_with_fault(self, request: OutgoingRequest, fault: WireFault) -> Answer:
        """Send the request once with this fault, over a connection of its own."""
        target, key, deadline = self._route(request)
        head = _head(request.method, target.path, request.headers)
        first, *others = _pieces(head + request.body, len(request.body), fault)
        connection = await self._connect(request, target, key, deadline)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        try:
            if not connection.send(
                first, waiter=answer, deadline=deadline, timeout_seconds=request.timeout_seconds
            ):
                raise Unreachable(f"the connection to {target.authority} was over at once")
            for piece in others:
                await asyncio.wait([answer], timeout=fault.body_seconds / len(others))
                if answer.done():
                    return await answer
                connection.write_on(piece)
            if fault.hang_up:
                connection.hang_up(with_reset=fault.hang_up == "reset")
                # Bytes that the system has not taken yet still go out.
                left_seconds = deadline - asyncio.get_running_loop().time()
                await asyncio.wait([connection.closed], timeout=left_seconds)
            return await answer
        finally:
            connection.give_up()

    @property
    def is_in_loop(self) -> bool:
        """Whether connections are open; only their event loop can close them."""
        return bool(self._open)

    async def aclose(self) -> None:
        """Close every connection; requests in flight end as ``Unknown``."""
        if not self._open:
            return
        self._serve(asyncio.get_running_loop())
        connections = list(self._open)
        for connection in connections:
            connection.fail("the sender was closed before the answer came")
        for connection in connections:
            await connection.closed

    def _route(self, request: OutgoingRequest) -> tuple[Target, _Key, float]:
        """Return a request's target, the key of its connections, and its deadline in loop time."""
        loop = asyncio.get_running_loop()
        self._serve(loop)
        deadline = loop.time() + request.timeout_seconds
        target = self._target(request.url)
        return target, _key(request, target), deadline

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        for connection in self._open:
            with suppress(RuntimeError):  # that loop is closed
                connection.fail("the sender went on in another event loop")
        self._open, self._idle, self._loop = set(), {}, loop
        self._turns = ReadTurns(loop)

    def _target(self, url: str) -> Target:
        if url not in self._targets:
            if len(self._targets) >= _CACHED_URLS:
                self._targets.clear()
            try:
                self._targets[url] = Target.of(check_url(url, self._rules))
            except InvalidTarget as error:
                raise Unreachable(str(error)) from error
        return self._targets[url]

    def _send_over_idle(
        self, key: _Key, data: bytes, *, waiter: Waiter, deadline: float, timeout_seconds: float
    ) -> Connection | None:
        """Send over an idle connection and return it; None if there is none: no byte went out."""
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            if not connection.is_usable():
                connection.abort()
            elif connection.send(
                data, waiter=waiter, deadline=deadline, timeout_seconds=timeout_seconds
            ):
                return connection
        return None

    async def _connect(
        self, request: OutgoingRequest, target: Target, key: _Key, deadline: float
    ) -> Connection:
        now, turns = asyncio.get_running_loop().time(), self._turns
        connection = await self._connector.connect(
            target,
            lambda place: Connection(
                place,
                is_tls=target.scheme == "https",
                reader=AnswerReader(self._limits, self._known),
                turns=turns,
                on_lost=partial(self._forget, key=key),
            ),
            tls=request.tls,
            deadline=min(deadline, now + request.connect_timeout_seconds),
        )
        if not connection.closed.done():
            self._open.add(connection)
        return connection

    def _keep(self, connection: Connection, key: _Key) -> None:
        """Keep a connection for the next request, if it is reusable."""
        if connection.idle(idle_seconds=self._idle_seconds):
            self._idle.setdefault(key, []).append(connection)

    def _forget(self, connection: Connection, key: _Key) -> None:
        self._open.discard(connection)
        idle = self._idle.get(key, [])
        if connection in idle:
            idle.remove(connection)
        if not idle:
            self._idle.pop(key, None)


class _Prepared:
    """``PreparedRequest`` whose head is encoded once."""

    def __init__(
        self, transport: Http1Transport, *, key: _Key, head: bytes, timeout_seconds: float
    ) -> None:
        self._transport = transport
        self._key = key
        self._head = head
        self._timeout_seconds = timeout_seconds

    def begin(self, body: bytes, callback: _Callback, /) -> "_InFlight | None":
        """Send a request with this body, if a connection is idle."""
        return self._transport.begin(
            self._key, self._head + body, callback, timeout_seconds=self._timeout_seconds
        )


class _InFlight:
    """``RequestInFlight`` that takes the answer instead of a future."""

    __slots__ = ("_callback", "_connection", "_keep")

    def __init__(self, callback: _Callback) -> None:
        self._callback: _Callback | None = callback

    def went_out(self, connection: Connection, keep: Callable[[], None]) -> None:
        """Take its connection, and the function that keeps the connection for reuse."""
        self._connection = connection
        self._keep = keep

    def cancel(self) -> None:
        """Cancel it; after its end, leave the connection alone: another request may use it."""
        if self._callback is not None:
            self._callback = None
            self._connection.abort()

    def done(self) -> bool:
        """Say whether it has ended or was cancelled."""
        return self._callback is None

    def set_result(self, answer: Answer | Unknown, /) -> None:
        """Keep the connection for reuse, and call the callback with the result."""
        callback, self._callback = self._callback, None
        self._keep()
        if callback is not None:
            callback(answer)

    set_exception = set_result


def _key(request: OutgoingRequest, target: Target) -> _Key:
    """Return the key of connections that the request can use."""
    return (*target.origin, request.tls.ca_file, request.tls.insecure)


def _pieces(data: bytes, body_bytes: int, fault: WireFault) -> Iterator[bytes]:
    """Yield the request whole, or for a slow body the head and pieces of the body."""
    if not fault.body_seconds:
        yield data
        return
    head = len(data) - body_bytes
    yield data[:head]
    size = -(-body_bytes // _PIECES) or 1
    yield from (data[start : start + size] for start in range(head, len(data), size))


@lru_cache(_CACHED_HEADS)
def _head(method: str, path: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the bytes of a request before its body: exactly these headers."""
    lines = [f"{method} {path} HTTP/1.1\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers]
    head = "".join(lines)
    if head.count("\r") != len(lines) or head.count("\n") != len(lines):
        raise Unreachable("a header of the request holds a line break")
    try:
        return head.encode("latin-1") + b"\r\n"
    except UnicodeEncodeError as error:
        raise Unreachable("a header of the request holds characters outside Latin-1") from error
