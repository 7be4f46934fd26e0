"""Checks of what a crash of the receiver loses. The run starts the receiver, and kills it."""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.checks import Check, Group, Need
from leanbe_emitter.conformance.procedures.durability import kill_receiver
from leanbe_emitter.conformance.verdicts import Level

_NEEDS = frozenset({Need.NETWORK, Need.OBSERVATION, Need.START})

DURABILITY = Group(
    checks=(
        Check(
            id="durability.killed_after_answer",
            level=Level.SHOULD,
            sends="an event, SIGKILL after the 2xx, a new start",
            expects="the effect is there",
            why="After a 2xx, Leanbe never sends the event again.",
            fix=fixes.COMMIT_THEN_ANSWER,
            needs=_NEEDS,
        ),
        Check(
            id="durability.duplicate_after_restart",
            level=Level.SHOULD,
            sends="the same bytes again after the new start",
            expects="2xx, no further effect",
            why="What was seen has to outlive the process, as what was done does.",
            fix=fixes.INSERT_FIRST,
            needs=_NEEDS,
        ),
    ),
    procedure=kill_receiver,
)
