"""Duplicates have one effect, and events that only look alike have two.

A status alone proves none of it: a receiver may answer 204 and store a duplicate, too.
"""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.checks import Check, Group, Need
from leanbe_emitter.conformance.procedures.distinct_events import send_distinct_events
from leanbe_emitter.conformance.procedures.duplicates import (
    DuplicateCheck,
    again,
    at_once,
    hung_up,
    send_duplicates,
)
from leanbe_emitter.conformance.procedures.same_payload import send_same_payload
from leanbe_emitter.conformance.verdicts import Level

_ONE_EFFECT = "2xx, one effect"
_LOST = "An event that is taken for a duplicate of another one is lost."
_TWICE = "Leanbe may send an event again: after a timeout, a deployment, a lost answer."

DUPLICATES = Group(
    checks=(
        DuplicateCheck(
            id="idempotency.duplicate",
            level=Level.MUST,
            sends="an event, and the same bytes again",
            expects=_ONE_EFFECT,
            why=_TWICE,
            fix=fixes.INSERT_FIRST,
            deliver=again,
        ),
        DuplicateCheck(
            id="idempotency.concurrent",
            level=Level.MUST,
            sends="the same bytes 8 times at once",
            expects="2xx, 409 or 429, one effect",
            why="Two processes that look first and insert then both find nothing.",
            fix=fixes.INSERT_FIRST,
            needs=frozenset({Need.NETWORK}),
            deliver=at_once,
            also_allowed=frozenset({409, 429}),
        ),
        DuplicateCheck(
            id="idempotency.after_hangup",
            level=Level.SHOULD,
            sends="an event, hung up before the answer, and the same bytes again",
            expects=_ONE_EFFECT,
            why="A sender that got no answer sends again, while the first is still at work.",
            fix=fixes.INSERT_FIRST,
            needs=frozenset({Need.NETWORK}),
            deliver=hung_up,
        ),
    ),
    procedure=send_duplicates,
)

DISTINCT = Group(
    checks=(
        Check(
            id="idempotency.other_event",
            level=Level.MUST,
            sends="an update of a document, after its creation",
            expects="2xx, another effect",
            why=_LOST,
            fix=fixes.KEY_OF_EVENT,
        ),
        Check(
            id="idempotency.same_event_later",
            level=Level.MUST,
            sends="a second update of a document",
            expects="2xx, another effect",
            why=_LOST,
            fix=fixes.KEY_OF_EVENT,
        ),
    ),
    procedure=send_distinct_events,
)

SAME_PAYLOAD = Group(
    checks=(
        Check(
            id="idempotency.same_payload",
            level=Level.SHOULD,
            sends="a creation, then the deletion: the same payload, the same signature",
            expects="2xx, another effect",
            why="Two events of one document may have the same payload, and so the same signature.",
            fix=fixes.KEY_OF_EVENT,
        ),
    ),
    procedure=send_same_payload,
)
