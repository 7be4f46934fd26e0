"""What is kept of an answer while it comes: all of it up to the caps; the rest is counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from leanbe_emitter.delivery.network.transport import Answer


@dataclass(frozen=True, kw_only=True)
class AnswerLimits:
    """How much of an answer is kept, in bytes.

    Attributes:
        answer_bytes: of its body; the rest is counted and dropped.
        header_bytes: of its headers, in names and values.
    """

    answer_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024


DEFAULT_LIMITS = AnswerLimits()


class AnswerBuffer:
    """What has come of an answer."""

    def __init__(self, limits: AnswerLimits) -> None:
        self._limits = limits
        self._status = 0
        self._reason = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._room = limits.answer_bytes
        self._length = 0

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]], *, reason: str) -> None:
        """Take the head, instead of one that came before."""
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
        """Whether it has a head, and no fewer bytes of body than its Content-Length promises."""
        promised = self.promised_length()
        return self.is_begun and (promised is None or self._length >= promised)

    @property
    def is_server_error(self) -> bool:
        """Whether it says that the app failed."""
        return self._status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def length(self) -> int:
        """How many bytes of body have come."""
        return self._length

    def promised_length(self) -> int | None:
        """Return what its Content-Length says; None where it has none that can be read."""
        for name, value in self._headers:
            if name.lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        return None

    def so_far(self, *, remark: str = "") -> Answer | None:
        """Return what has come, None before the head."""
        return self.whole(remark=remark) if self.is_begun else None

    def whole(self, *, remark: str = "") -> Answer:
        """Return the answer, whose head has come."""
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
    """Return the first of an answer's headers, so many bytes of names and values, as text."""
    kept = []
    for name, value in headers:
        kept_bytes -= len(name) + len(value)
        if kept_bytes < 0:
            break
        kept.append((name.decode("latin-1"), value.decode("latin-1")))
    return tuple(kept)
