"""The subject of an event: the document that its payload is, read from the beginning of a body.

A list shows the subjects of hundreds of events. A payload can be large, so only its beginning is
read, member by member. A body that does not begin like an envelope has no subject.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

#: How many characters of a body are read. The names of a document come before its long texts.
BEGINNING: Final = 1024
#: The longest text of a subject, in characters.
_LONGEST: Final = 80

_START: Final = re.compile(r'\{\s*"payload":\s*\{')
_KEY: Final = re.compile(r'\s*,?\s*"(\w+)":\s*')
_decode: Final = json.JSONDecoder().raw_decode

#: Members that name a document, the best first; several in a row are joined.
_NAMES: Final = (("title",), ("firstName", "lastName"), ("email",), ("name",))
#: All that is looked for.
_WANTED: Final = frozenset({"_id", *(name for names in _NAMES for name in names)})


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The subject of an event.

    Attributes:
        kind: the kind of document, as the event's name has it: ``backlogItem``.
        id: the document's ``_id``; None if the payload does not begin with one.
        text: the document's title, name or e-mail, at most 80 characters; None if there is none.
    """

    kind: str
    id: str | None
    text: str | None

    @classmethod
    def of(cls, event: str, beginning: str) -> "Subject":
        """Return the subject of an event.

        Args:
            event: the event's name.
            beginning: the first ``BEGINNING`` characters of the body, or all of it.
        """
        members = _members(beginning)
        return cls(kind=event.partition(".")[0], id=members.get("_id"), text=_text(members))

    def document(self) -> dict[str, Any]:
        """Return the subject as JSON."""
        return {"kind": self.kind, "_id": self.id, "text": self.text}


def beginnings(identifier: str) -> tuple[str, str]:
    """Return the texts with which a body begins whose payload has this ``_id``.

    A body is compact or indented.
    """
    text = json.dumps(identifier)
    return f'{{"payload":{{"_id":{text}', f'{{\n  "payload": {{\n    "_id": {text}'


def _members(beginning: str) -> dict[str, str]:
    """Return the wanted texts among the payload's first members."""
    found: dict[str, str] = {}
    at = _START.match(beginning)
    end = None if at is None else at.end()
    while end is not None and not _is_enough(found):
        key = _KEY.match(beginning, end)
        if key is None:
            break
        try:
            value, end = _decode(beginning, key.end())
        except (ValueError, RecursionError):
            break  # the beginning ends within this value
        if key[1] in _WANTED and isinstance(value, str):
            found[key[1]] = value[:_LONGEST]
    return found


def _is_enough(found: dict[str, str]) -> bool:
    return "title" in found or found.keys() >= {"firstName", "lastName"}


def _text(members: dict[str, str]) -> str | None:
    for names in _NAMES:
        if text := " ".join(members[name] for name in names if members.get(name)):
            return text[:_LONGEST]
    return None
