"""Parser of HTTP/1.1 answers: llhttp parses the bytes, and the reader keeps the answer.

One reader serves one connection. After a complete answer it reads the next one only if nothing
unusual came: ``is_tidy`` says so. It does no I/O and reads no clock.

Receivers repeat their answers. A tidy answer that came in one piece is cached by its bytes, and the
same bytes are not parsed again. That is safe, as the parser is in its initial state between two
answers.

Long answers, and those that take long to parse, take turns: all connections of a loop with such an
answer share one queue. The connection whose turn it is
parses for a millisecond, and reads on when it has parsed all. Then the loop has thrice the time of
the turn for everything else.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from leanbe_emitter.delivery.network.transport import Answer, AnswerLimits, keep_headers

#: Most bytes of an answer besides its body: heads, interim answers, sizes of chunks and trailers.
MOST_BARREN_BYTES = 256 * 1024
#: Most bytes of an answer.
MOST_BYTES = 16 * 1024 * 1024
_FIRST_FINAL_STATUS = 200
_SWITCHING_PROTOCOLS = 101
#: Most answers in the cache, and most bytes of each.
_CACHED_ANSWERS = 1024
_CACHED_BYTES = 2048
#: How many bytes at the end show whether an answer ends there: two ends of lines, and one too many.
_END_BYTES = len(b"\r\n\r\n\r\n")


class NotHttp(Exception):
    """The bytes are not an HTTP/1.1 answer; the message says why."""


class TooLong(Exception):
    """An answer has more bytes than we read; the message says how many those are."""

    def __init__(self) -> None:
        super().__init__(f"the answer has more than {MOST_BYTES >> 20} MiB")


class _Surplus(Exception):
    """Stops the parser: bytes came after the complete answer."""


class KnownAnswers:
    """Cache of answers by their bytes, shared by all connections of a sender."""

    def __init__(self) -> None:
        self._answers: dict[bytes, Answer] = {}

    def of(self, data: bytes) -> Answer | None:
        """Return the answer of these bytes, or None if they are new."""
        return self._answers.get(data) if len(data) <= _CACHED_BYTES else None

    def add(self, data: bytes, answer: Answer) -> None:
        """Cache an answer, if it is short enough."""
        if len(data) > _CACHED_BYTES:
            return
        if len(self._answers) >= _CACHED_ANSWERS:
            self._answers.clear()
        self._answers[data] = answer


class AnswerReader:
    """Read the answers of one connection, one at a time.

    Args:
        limits: how much of an answer is stored.
        known: the cache; all its connections must have the same ``limits``.

    Attributes:
        has_head: the status and the headers of the final answer have come.
        is_complete: the whole answer has come.
        is_tidy: the connection can carry another answer, as far as its bytes show.
    """

    def __init__(self, limits: AnswerLimits, known: KnownAnswers | None = None) -> None:
        self._limits = limits
        self._known = KnownAnswers() if known is None else known
        self._parser = HttpResponseParser(self)
        self.is_tidy = True
        self._has_parsed = True
        self.expect()

    def expect(self) -> None:
        """Forget the last answer and wait for the next one."""
        self.has_head = False
        self.is_complete = False
        self._repeated: Answer | None = None
        self._whole: bytes | None = None
        self._came_bytes = 0
        if self._has_parsed:
            self._has_parsed = False
            self._begin()

    def _begin(self) -> None:
        self.has_head = False
        self._status = 0
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._room = self._limits.answer_bytes
        self._body_length = 0
        self._last_piece = b""
        self._end = b""

    def feed(self, data: bytes) -> bool:
        """Read more bytes; return whether the answer is complete.

        Raises:
            NotHttp: it will never be complete.
            TooLong: it is longer than we read.
        """
        is_first = not self._has_parsed
        if is_first and (repeated := self._known.of(data)) is not None:
            self._repeated = repeated
            self.has_head = self.is_complete = True
            return True
        self._has_parsed = True
        self._parse(data)
        if is_first and self.is_complete and self.is_tidy:
            self._whole = data
        return self.is_complete

    def _parse(self, data: bytes) -> None:
        self._came_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.is_tidy = False
        except HttpParserError as error:
            self.is_tidy = False
            if not self.is_complete:
                raise NotHttp(str(error)) from error
        if self.is_complete:
            self.is_tidy = self.is_tidy and self._is_at_the_end_of(self._end + data)
            return
        self._end = (self._end + data[-_END_BYTES:])[-_END_BYTES:]
        self._require_bounded()

    def end(self) -> bool:
        """Note the end of the connection; return whether the answer is complete."""
        self.is_tidy = False
        if self.has_head and not self.is_complete:
            self.is_complete = self._lasts_until_the_end()
        return self.is_complete

    def answer(self, *, remark: str = "") -> Answer:
        """Return the part of the answer that has come."""
        if self._repeated is not None:
            return replace(self._repeated, remark=remark) if remark else self._repeated
        answer = Answer(
            status=self._status,
            reason=self._reason.decode("latin-1"),
            headers=keep_headers(self._headers, kept_bytes=self._limits.header_bytes),
            body=b"".join(self._pieces),
            body_length=self._body_length,
            remark=remark,
        )
        if self._whole is not None and not remark:
            self._known.add(self._whole, answer)
        return answer

    def close(self) -> None:
        """Drop the parser: it and this reader refer to each other."""
        del self._parser

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        """Stop the parser if an answer begins after a complete one: nobody asked for it."""
        if self.is_complete:
            raise _Surplus

    def on_status(self, reason: bytes) -> None:
        """Take a piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; drop trailers, which come after the body."""
        if not self.has_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the status at the end of the head."""
        self.has_head = True
        self._status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; keep it while there is room."""
        self._body_length += len(data)
        self._last_piece = data
        if self._room > 0:
            self._pieces.append(data[: self._room])
            self._room -= len(data)

    def on_message_complete(self) -> None:
        """End this answer; after a 1xx, expect the final answer."""
        if self._status < _FIRST_FINAL_STATUS and self._status != _SWITCHING_PROTOCOLS:
            self._begin()
            return
        self.is_complete = True
        if not self._parser.should_keep_alive():
            self.is_tidy = False

    # The end of an answer.

    def _is_at_the_end_of(self, data: bytes) -> bool:
        """Say whether the answer's last bytes are the last of this data, as far as can be known.

        The parser reports the beginning of another answer, but not line breaks before it.
        """
        if self._last_piece and not self._is_chunked():
            return data.endswith(self._last_piece)
        return data.endswith(b"\r\n\r\n") and not data.endswith(b"\r\n\r\n\r\n")

    def _is_chunked(self) -> bool:
        codings = self._values(b"transfer-encoding")
        return bool(codings) and codings[-1].rstrip().lower().endswith(b"chunked")

    def _lasts_until_the_end(self) -> bool:
        if self._values(b"transfer-encoding"):
            return not self._is_chunked()
        return not self._values(b"content-length")

    def _values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self._headers if key.lower() == name]

    def _require_bounded(self) -> None:
        """Raise if too many bytes came: all since the request count, not those of one 1xx."""
        if self._came_bytes - self._body_length > MOST_BARREN_BYTES:
            self.is_tidy = False
            raise NotHttp(f"more than {MOST_BARREN_BYTES >> 10} KiB besides its body")
        if self._came_bytes > MOST_BYTES:
            self.is_tidy = False
            raise TooLong


#: How long a turn lasts, in seconds.
TURN_SECONDS = 0.001
#: How long the loop does everything else after a turn, as a multiple of the turn.
_RESTS = 3
#: The least time between two turns, in seconds: to read a body takes longer than to parse it.
_LEAST_REST_SECONDS = 0.001

#: Parse until an instant in loop time; return whether bytes are left.
Parse = Callable[[float], bool]


class ReadTurns:
    """The queue of a loop's connections with long answers.

    Args:
        loop: the loop of the connections.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Parse] = deque()
        self._has_next = False

    def add(self, parse: Parse) -> None:
        """Give a connection turns until it has parsed all its bytes."""
        self._waiting.append(parse)
        self._go_on(TURN_SECONDS)

    def _go_on(self, taken_seconds: float) -> None:
        if self._waiting and not self._has_next:
            self._has_next = True
            rest = max(_RESTS * taken_seconds, _LEAST_REST_SECONDS)
            self._loop.call_later(rest, self._turn)

    def _turn(self) -> None:
        self._has_next = False
        parse = self._waiting.popleft()
        began_at = self._loop.time()
        try:
            if parse(began_at + TURN_SECONDS):
                self._waiting.append(parse)
        finally:
            # Whatever an answer's receiver raised, the others have their turns.
            self._go_on(self._loop.time() - began_at)
