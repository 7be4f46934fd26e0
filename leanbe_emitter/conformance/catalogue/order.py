"""Events that come out of order end in the same state as in order."""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.checks import Check, Group
from leanbe_emitter.conformance.procedures.order import send_after_deletion, send_reversed
from leanbe_emitter.conformance.verdicts import Level

_WHY = "A retry comes minutes after later events, so that nobody can rely on the order."

REVERSED = Group(
    checks=(
        Check(
            id="order.reversed",
            level=Level.SHOULD,
            sends="an update before its document's creation",
            expects="2xx, the same end state as in order",
            why=_WHY,
            fix=fixes.UPSERT,
        ),
    ),
    procedure=send_reversed,
)

AFTER_DELETION = Group(
    checks=(
        Check(
            id="order.after_deletion",
            level=Level.SHOULD,
            sends="a late update after the deletion",
            expects="2xx, no change",
            why=_WHY,
            fix=fixes.KEEP_TOMBSTONE,
        ),
    ),
    procedure=send_after_deletion,
)
