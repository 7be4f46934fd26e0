"""HTTP/1.1 connection: a request out, its answer in, under a deadline.

It carries one request at a time. It is not reused after anything unusual: unexpected bytes, an
answer before the request was out, a close or ``Connection: close`` of the other side, bytes that
are not HTTP, an upgrade, a timeout, or a few idle seconds.
"""

import asyncio
import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from leanbe_emitter.delivery.network.answer_reader import (
    TURN_SECONDS,
    AnswerReader,
    NotHttp,
    ReadTurns,
    TooLong,
)
from leanbe_emitter.delivery.network.transport import Answer, Unknown

# asyncio does not report bytes that TLS has passed on and the socket has not taken. So a connection
# is not reused after a longer request over TLS.
_SEEN_THROUGH_TLS_BYTES = 16 * 1024
_READ_BYTES = 64 * 1024
# Bytes that are parsed at once: between two such pieces, others may have their turn.
_PIECE_BYTES = 4 * 1024
_ENDLESS = float("inf")
# After so many bytes at once, and no end of the answer, others have their turn as well.
_LONG_READ_BYTES = 64 * 1024
# Linger for 0 s: a close sends a reset.
_RESETS = struct.pack("ii", 1, 0)


class Waiter(Protocol):
    """Waiter for an answer: a future, or an object with the same methods."""

    def done(self) -> bool:
        """Say whether it has stopped waiting."""
        ...

    def set_result(self, answer: Answer, /) -> None:
        """Take the answer."""
        ...

    def set_exception(self, error: Unknown, /) -> None:
        """Take the error that came instead of an answer."""
        ...


class Connection(asyncio.Protocol):
    """Connection to one address.

    One timer serves the deadline and the idle time. It is not set for every request: if it fires
    too early, it is set again to the present deadline.

    Args:
        place: the address and port, for messages.
        is_tls: the connection uses TLS.
        reader: parses the answers.
        turns: gives the connection turns if its answer is long or takes long to parse.
        on_lost: called when the connection is closed.

    Attributes:
        closed: done when the connection is closed.
    """

    def __init__(
        self,
        place: str,
        *,
        is_tls: bool,
        reader: AnswerReader,
        turns: ReadTurns,
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self._place = place
        self._is_tls = is_tls
        self._reader = reader
        self._turns = turns
        self._unread = memoryview(b"")
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport
        self._socket: Any
        self._waiter: Waiter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._poll = select.poll()
        self._is_odd = False
        self._request_bytes = 0
        self._timeout_seconds = 0.0

    # Methods for the transport.

    def send(self, data: bytes, *, waiter: Waiter, deadline: float, timeout_seconds: float) -> bool:
        """Write a whole request once; return whether its answer can come.

        If not, no byte went out, and the waiter is not called: another connection can take it. If
        so, the waiter is called once, and not before this returns.

        asyncio passes the bytes to the system at once, and closes if the system takes none. Other
        loops write later, and TLS writes through a buffer: there the end of the exchange decides.
        """
        if self._is_odd or self._transport.is_closing():
            return False
        self._reader.expect()
        self._request_bytes = len(data)
        self._timeout_seconds = timeout_seconds
        self._waiter = waiter
        self._guard(deadline)
        self._transport.write(data)
        if self._transport.is_closing() and not self._is_tls:
            self._waiter = None
            return False
        return True

    def write_on(self, data: bytes) -> None:
        """Write the next piece of the request."""
        self._transport.write(data)

    def hang_up(self, *, with_reset: bool) -> None:
        """Close before the answer, as a fault; the request in flight ends as ``Unknown``."""
        how = "reset" if with_reset else "closed"
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(Unknown(f"we {how} the connection before the answer (a fault)"))
        self._is_odd = True
        if with_reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            self._transport.abort()
        else:
            self._transport.close()

    def give_up(self) -> None:
        """Close it after a fault, if it is still open."""
        if not self.closed.done():
            self.abort()

    def idle(self, *, idle_seconds: float) -> bool:
        """Become idle; return False where the connection is not reusable."""
        if self._is_odd:
            return False
        self._due = self._loop.time() + idle_seconds
        return True

    def is_usable(self) -> bool:
        """Say whether an idle connection can take another request.

        This asks the system whether bytes or a close came in: the loop may not know yet, and some
        receivers close after every answer without a header that says so.
        """
        if self._is_odd or self._loop.time() >= self._due or self._transport.is_closing():
            return False
        return not self._poll.poll(0)

    def fail(self, reason: str) -> None:
        """End the request in flight as ``Unknown``, and close."""
        waiter = self._waiter
        self.abort()
        if waiter is not None and not waiter.done():
            partial = self._reader.answer() if self._reader.has_head else None
            waiter.set_exception(Unknown(reason, answer=partial))

    def abort(self) -> None:
        """Close at once."""
        self._is_odd = True
        self._waiter = None
        self._transport.abort()

    # Deadlines.

    def _guard(self, due: float) -> None:
        self._due = due
        if self._timer is not None and self._timer.when() > due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._loop.time() < self._due:
            self._guard(self._due)
        else:
            self.fail(f"no complete answer within {self._timeout_seconds:g} s")

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport to write to."""
        self._transport = cast(
            "asyncio.Transport", transport
        )  # uvloop's class is not derived from it
        self._socket = transport.get_extra_info("socket")
        self._poll.register(self._socket, select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read the answer; close if no request is in flight."""
        if self._waiter is None:
            self.abort()
        elif self._unread:  # it waits for its turn
            self._unread = memoryview(bytes(self._unread) + data)
        elif len(data) <= _PIECE_BYTES:
            self._read(data)
        else:
            self._unread = memoryview(data)
            is_behind = self._read_until(self._loop.time() + TURN_SECONDS)
            if is_behind or (len(data) >= _LONG_READ_BYTES and self._waiter is not None):
                self._transport.pause_reading()
                self._turns.add(self._read_in_turn)

    def eof_received(self) -> None:
        """End the answer: the other side has closed, or its half of the connection."""
        # TLS reports the end even while nothing is read.
        self._read_until(_ENDLESS)
        if self._waiter is None:
            self.abort()
        elif self._reader.end():
            self._finish()
        else:
            self.fail(f"{self._place} closed the connection {self._how_far()}")

    def connection_lost(self, error: Exception | None) -> None:
        """Clean up after the close; a request in flight ends as ``Unknown``."""
        self._read_until(_ENDLESS)
        if error is not None and not self._is_tls:
            self._read_what_came()
        if self._waiter is not None:
            how = "was reset" if isinstance(error, ConnectionError) else "broke"
            self.fail(f"the connection to {self._place} {how} {self._how_far()}")
        self._is_odd = True
        if self._timer is not None:
            self._timer.cancel()
        self._reader.close()
        self.closed.set_result(None)
        self._on_lost(self)

    def _read_in_turn(self, until: float) -> bool:
        """Parse until an instant in loop time; then, if nothing is left, go on reading."""
        is_behind = self._read_until(until)
        if not is_behind and not self._transport.is_closing():
            self._transport.resume_reading()
        return is_behind

    def _read_until(self, until: float) -> bool:
        """Parse what has come until an instant in loop time; return whether bytes are left."""
        while self._unread and self._waiter is not None:
            piece, self._unread = self._unread[:_PIECE_BYTES], self._unread[_PIECE_BYTES:]
            self._read(bytes(piece))
            if self._loop.time() >= until:
                break
        if self._waiter is None:
            self._unread = memoryview(b"")
        return bool(self._unread)

    def _read(self, data: bytes) -> None:
        try:
            is_complete = self._reader.feed(data)
        except NotHttp as error:
            self.fail(f"{self._place} did not send an HTTP/1.1 answer: {error}")
        except TooLong as error:
            self.fail(f"{self._place} does not end its answer: {error}")
        else:
            if is_complete:
                self._finish()

    def _finish(self) -> None:
        waiter, self._waiter = self._waiter, None
        is_early = self._transport.get_write_buffer_size() > 0
        answer = self._reader.answer(
            remark="it came before the whole request was out" if is_early else ""
        )
        hides_bytes = self._is_tls and self._request_bytes > _SEEN_THROUGH_TLS_BYTES
        if is_early or hides_bytes or self._unread or not self._reader.is_tidy:
            self.abort()
        # This comes last: a waiter that is not a future runs at once, and may reuse the connection.
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _read_what_came(self) -> None:
        """Read the answer that came before a write failed: asyncio leaves it in the socket.

        A receiver that refuses a large body answers, closes, and resets the connection when more
        bytes come in.
        """
        with suppress(OSError):
            while self._waiter is not None and (
                data := os.read(self._socket.fileno(), _READ_BYTES)
            ):
                self._read(data)

    def _how_far(self) -> str:
        return "in the middle of its answer" if self._reader.has_head else "before it answered"
