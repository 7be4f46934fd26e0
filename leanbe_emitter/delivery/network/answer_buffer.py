"""Buffer for an answer: it keeps the answer up to its limits and counts the rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from leanbe_emitter.delivery.network.transport import Answer


@dataclass(frozen=True, kw_only=True)
class AnswerLimits:
    """Limits of what is kept of an answer, in bytes.

    Attributes:
        answer_bytes: limit for the body; the rest is counted and dropped.
        header_bytes: limit for the names and values of headers.
    """

    answer_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024


DEFAULT_LIMITS = AnswerLimits()


class AnswerBuffer:
    """The part of an answer that has come so far."""

    def __init__(self, limits: AnswerLimits) -> None:
        self._limits = limits
        self._status = 0
        self._reason = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._room = limits.answer_bytes
        self._length = 0

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]], *, reason: str) -> None:
        """Take the head; it replaces an earlier head."""
        self._status, self._headers, self._reason = status, list(headers), reason

    def add(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._length += len(piece)
        if self._room > 0 and piece:
            self._pieces.append(piece[: self._room])
            self._room -= len(piece)

    @property
    def is_begun(self) -> bool:
        """Whether the head has come."""
        return self._status != 0

    @property
    def is_whole(self) -> bool:
        """Whether the head has come, and as many bytes of body as Content-Length promises."""
        promised = self.promised_length()
        return self.is_begun and (promised is None or self._length >= promised)

    @property
    def is_server_error(self) -> bool:
        """Whether its status is 500 or more."""
        return self._status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def length(self) -> int:
        """Number of bytes of body that have come."""
        return self._length

    def promised_length(self) -> int | None:
        """Return its Content-Length; None where it is missing or malformed."""
        for name, value in self._headers:
            if name.lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        return None

    def so_far(self, *, remark: str = "") -> Answer | None:
        """Return the part that has come; None before the head."""
        return self.whole(remark=remark) if self.is_begun else None

    def whole(self, *, remark: str = "") -> Answer:
        """Return the answer; its head must have come."""
        return Answer(
            status=self._status,
            reason=self._reason,
            headers=keep_headers(self._headers, kept_bytes=self._limits.header_bytes),
            body=b"".join(self._pieces),
            body_length=self._length,
            remark=remark,
        )


def keep_headers(
    headers: Iterable[tuple[bytes, bytes]], *, kept_bytes: int
) -> tuple[tuple[str, str], ...]:
    """Return an answer's first headers as text, up to so many bytes of names and values."""
    kept = []
    for name, value in headers:
        kept_bytes -= len(name) + len(value)
        if kept_bytes < 0:
            break
        kept.append((name.decode("latin-1"), value.decode("latin-1")))
    return tuple(kept)
