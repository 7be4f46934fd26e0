"""Requests with faults: pure functions that give the same bytes for the same event each time.

``apply_to_draft`` changes the input of an envelope before it is sealed. ``apply_to_body`` changes
a finished body and keeps its signature.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.envelope import SealedRequest, payload_text_of, seal, with_payload
from leanbe_emitter.wire.faults.catalogue import FaultSpec
from leanbe_emitter.wire.stringify import JSON, parse, stringify

#: The secret that ``wrong_secret`` signs with.
WRONG_SECRET = "not-the-secret-of-this-webhook"  # noqa: S105 - the wrong one on purpose
#: The action in the event name of ``unknown_event``: ``idea.teleported``.
UNKNOWN_ACTION = "teleported"
#: The member that ``unknown_field`` adds, and its value.
UNKNOWN_FIELD = ("unknownField", "added by a fault")
#: The text that ``tampered_payload`` appends to a text.
TAMPERED = " (tampered)"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The input of ``envelope.seal``."""

    payload_text: str = field(repr=False)
    event: str
    triggered_at: datetime
    secret: str | None = field(repr=False)
    assumptions: AssumptionSet

    def sealed(self) -> SealedRequest:
        """Return the finished request."""
        return seal(
            self.payload_text,
            event=self.event,
            triggered_at=self.triggered_at,
            secret=self.secret,
            assumptions=self.assumptions,
        )


def apply_to_draft(draft: Draft, fault: FaultSpec) -> Draft:
    """Return the draft with a fault applied; the same draft if the fault does not change it."""
    for part in fault.parts:
        if part.kind in _REDRAFTED:
            draft = _REDRAFTED[part.kind](draft, part.how)
    return draft


def apply_to_body(body: str, fault: FaultSpec) -> str:
    """Return a sealed body with a fault applied; the same body if the fault does not change it."""
    for part in fault.parts:
        if part.kind in _ALTERED:
            body = _ALTERED[part.kind](body)
    return body


def tampered(body: str) -> str:
    """Return a body with a change in the payload's first text, and with the same signature.

    Ids and instants do not count as texts. A payload without any text is replaced as a whole.
    """
    payload = parse(payload_text_of(body), max_depth=sys.maxsize)
    changed, is_changed = _tampered(payload)
    return with_payload(body, _text(changed if is_changed else TAMPERED.strip()))


def truncated(body: str) -> str:
    """Return the first half of a body."""
    return body[: len(body) // 2]


def _wrongly_signed(draft: Draft, _: str) -> Draft:
    return replace(draft, secret=WRONG_SECRET)


def _unsigned(draft: Draft, _: str) -> Draft:
    return replace(draft, secret=None)


def _stale(draft: Draft, how: str) -> Draft:
    age = timedelta(seconds=parse_duration(how))
    return replace(draft, triggered_at=draft.triggered_at - age)


def _of_unknown_name(draft: Draft, _: str) -> Draft:
    return replace(draft, event=f"{draft.event.partition('.')[0]}.{UNKNOWN_ACTION}")


def _with_unknown_field(draft: Draft, _: str) -> Draft:
    name, value = UNKNOWN_FIELD
    payload = parse(draft.payload_text, max_depth=sys.maxsize)
    members = payload if isinstance(payload, dict) else {"payload": payload}
    return replace(draft, payload_text=_text({**members, name: value}))


_REDRAFTED: Mapping[str, Callable[[Draft, str], Draft]] = {
    "wrong_secret": _wrongly_signed,
    "missing_signature": _unsigned,
    "stale_body": _stale,
    "unknown_event": _of_unknown_name,
    "unknown_field": _with_unknown_field,
}
_ALTERED: Mapping[str, Callable[[str], str]] = {
    "tampered_payload": tampered,
    "truncated_body": truncated,
}


def _tampered(value: JSON, key: str = "") -> tuple[JSON, bool]:
    """Return a value with a change in its first text, and whether there was a text."""
    if isinstance(value, str) and not _is_id_or_instant(key):
        return value + TAMPERED, True
    if isinstance(value, dict):
        for name, member in value.items():
            changed, is_changed = _tampered(member, name)
            if is_changed:
                return {**value, name: changed}, True
    if isinstance(value, list):
        for index, member in enumerate(value):
            changed, is_changed = _tampered(member, key)
            if is_changed:
                return [*value[:index], changed, *value[index + 1 :]], True
    return value, False


def _is_id_or_instant(key: str) -> bool:
    return key in {"_id", "id", "publicId"} or key.endswith("At")


def _text(value: JSON) -> str:
    return stringify(value, max_depth=sys.maxsize, max_bytes=sys.maxsize)
