"""The example receiver, in steps, and its store: each flaw does one of the steps otherwise.

The store is kept in a file if there is one, a line for each event, so that it outlives the process.
The steps follow the path of a request: its head, its text, its signature, whether it was seen, and
its effect.
"""

import hmac
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.signing import sign_text
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify


@dataclass(frozen=True, kw_only=True)
class Handled:
    """An event to handle: the members of a request's body."""

    event: str
    triggered_at: str
    signature: str
    payload: dict[str, JSON]

    @property
    def document_id(self) -> str:
        """The id of its document; empty if it has none."""
        return str(self.payload.get("_id", ""))

    @property
    def updated_at(self) -> str:
        """When its document was last changed."""
        return str(self.payload.get("updatedAt", ""))

    @property
    def title(self) -> str:
        """The title of its document, or a customer's name."""
        return str(self.payload.get("title") or self.payload.get("lastName") or "")


@dataclass(kw_only=True)
class State:
    """The documents and the effects.

    Attributes:
        file: keeps the events; None: nothing outlives the process.
        seen: the keys of the events that were handled.
    """

    file: Path | None = None
    seen: set[object] = field(default_factory=set)
    _effects: int = 0
    _by_event: Counter[str] = field(default_factory=Counter)
    _titles: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)
    _deleted: set[str] = field(default_factory=set)

    def knows(self, document_id: str) -> bool:
        """Return whether a document was ever stored."""
        return document_id in self._versions

    def is_deleted(self, document_id: str) -> bool:
        """Return whether a document was deleted."""
        return document_id in self._deleted

    def is_newer(self, handled: Handled) -> bool:
        """Return whether an event's document is at least as new as the stored one."""
        return handled.updated_at >= self._versions.get(handled.document_id, "")

    def store(self, handled: Handled) -> None:
        """Store an event's document; this is its effect."""
        self._effects += 1
        self._by_event[handled.event] += 1
        self._versions[handled.document_id] = handled.updated_at
        if handled.event.endswith(".deleted"):
            self._deleted.add(handled.document_id)
            self._titles.pop(handled.document_id, None)
        else:
            self._titles[handled.document_id] = handled.title

    def remember(self, handled: Handled) -> None:
        """Write an event to the file."""
        if self.file is not None:
            with self.file.open("a") as lines:
                lines.write(json.dumps(vars(handled)) + "\n")

    def remembered(self) -> list[Handled]:
        """Return the events of the file."""
        if self.file is None or not self.file.exists():
            return []
        return [Handled(**_members(line)) for line in self.file.read_text().splitlines()]

    def observation(self) -> dict[str, JSON]:
        """Return what an observer sees."""
        return {
            "effects": self._effects,
            "byEvent": dict(self._by_event),
            "titles": list(self._titles.values()),
        }


def _members(line: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(line)
    return members


#: Where the example shows what it stored.
OBSERVATION_PATH = "/effects"
#: The longest body, in bytes.
_LONGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request as it came.

    Attributes:
        pieces: the pieces in which the body came.
    """

    method: str
    path: str
    content_type: str
    pieces: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, and the work that follows it."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    then: Callable[[], Coroutine[Any, Any, None]] | None = None


class Refused(Exception):
    """A step refuses the request."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class ExampleReceiver:
    """A right receiver.

    Args:
        secret: the secret to verify with.
        state: what it stored.
        pause: waits for so many seconds.
    """

    def __init__(
        self, secret: str, *, state: State, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self.secret = secret
        self.state = state
        self.pause = pause
        for handled in state.remembered():
            self.recall(handled)

    async def answer(self, incoming: Incoming) -> Reply:
        """Handle a request and return the answer; a crash is answered with 500."""
        if incoming.method == "GET" and incoming.path == OBSERVATION_PATH:
            return Reply(status=200, body=json.dumps(self.state.observation()).encode())
        try:
            return await self.handle(incoming)
        except Refused as refused:
            return refused.reply
        except Exception:  # noqa: BLE001 - the flaws crash on purpose
            return Reply(status=500)

    async def handle(self, incoming: Incoming) -> Reply:
        """Take the steps of a request."""
        self.check_head(incoming)
        raw = self.read(incoming)
        envelope = self.envelope(raw)
        if not self.verifies(envelope, raw):
            return self.refusal(envelope)
        return await self.accept(self.handled(envelope))

    # The request's head and text.

    def check_head(self, incoming: Incoming) -> None:
        """Refuse other methods and content types."""
        if incoming.method != "POST":
            raise Refused(Reply(status=405))
        if incoming.content_type.partition(";")[0].strip() != "application/json":
            raise Refused(Reply(status=415))

    def read(self, incoming: Incoming) -> bytes:
        """Return the whole body."""
        raw = b"".join(incoming.pieces)
        if len(raw) > self.longest_body:
            raise Refused(Reply(status=413))
        return raw

    longest_body = _LONGEST_BODY

    def envelope(self, raw: bytes) -> dict[str, JSON]:
        """Return the members of the body."""
        return self.members(self.parsed(self.decoded(raw)))

    def decoded(self, raw: bytes) -> str:
        """Return the body's text."""
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Refused(Reply(status=400)) from None

    def parsed(self, text: str) -> JSON:
        """Return the body's value."""
        try:
            return parse(text, max_depth=MAX_DEPTH + 1)
        except InvalidValue:
            raise Refused(Reply(status=400)) from None

    def members(self, value: JSON) -> dict[str, JSON]:
        """Return the members of an object."""
        if not isinstance(value, dict) or not isinstance(value.get("payload"), dict):
            raise Refused(Reply(status=400))
        return value

    # The signature.

    def verifies(self, envelope: dict[str, JSON], raw: bytes) -> bool:
        """Return whether the signature is right."""
        found = envelope.get("signature")
        return self.is_equal(found, self.expected(self.hashed(envelope, raw)))

    def hashed(self, envelope: dict[str, JSON], raw: bytes) -> str:
        """Return the text that is hashed."""
        del raw
        return self.written(envelope["payload"])

    def written(self, payload: JSON) -> str:
        """Return the payload as text."""
        return stringify(payload, max_bytes=_LONGEST_BODY)

    def expected(self, text: str) -> str:
        """Return the right signature of a text."""
        return sign_text(text, self.secret)

    def is_equal(self, found: JSON, expected: str) -> bool:
        """Compare two signatures in constant time."""
        return isinstance(found, str) and hmac.compare_digest(found.encode(), expected.encode())

    def refusal(self, envelope: dict[str, JSON]) -> Reply:
        """Return the answer to a forgery."""
        del envelope
        return Reply(status=401, body=b'{"detail":"bad signature"}')

    # Its effect.

    def handled(self, envelope: dict[str, JSON]) -> Handled:
        """Return the event to handle."""
        return Handled(
            event=str(envelope.get("event")),
            triggered_at=str(envelope.get("triggeredAt")),
            signature=str(envelope.get("signature")),
            payload=envelope["payload"],
        )

    async def accept(self, handled: Handled) -> Reply:
        """Handle an event that verifies, once."""
        if self.was_seen(handled):
            return Reply(status=204)
        self.see(handled)
        self.apply(handled)
        return Reply(status=204)

    def key(self, handled: Handled) -> object:
        """Return what tells duplicates."""
        return (handled.event, handled.triggered_at, handled.signature)

    def was_seen(self, handled: Handled) -> bool:
        """Return whether the event was handled before."""
        return self.key(handled) in self.state.seen

    def see(self, handled: Handled) -> None:
        """Note that the event is handled now."""
        self.state.seen.add(self.key(handled))
        self.state.remember(handled)

    def apply(self, handled: Handled) -> None:
        """Store the event's document, unless it is older than what is stored."""
        if not self.is_late(handled):
            self.state.store(handled)

    def is_late(self, handled: Handled) -> bool:
        """Return whether a later event of the document was handled already."""
        is_deleted = self.state.is_deleted(handled.document_id)
        return is_deleted or not self.state.is_newer(handled)

    def recall(self, handled: Handled) -> None:
        """Do again what was done before the process ended."""
        self.state.seen.add(self.key(handled))
        self.apply(handled)
