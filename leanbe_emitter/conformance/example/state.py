"""The store of the example receiver: documents by their id, and a count of the effects.

It is kept in a file if there is one, a line for each event, so that it outlives the process.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leanbe_emitter.wire.stringify import JSON


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
