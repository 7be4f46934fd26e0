"""The controls: what every right receiver accepts."""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.checks import Check, Group
from leanbe_emitter.conformance.procedures.story import StoryCheck, open_gate, send_story
from leanbe_emitter.conformance.verdicts import Level
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

#: Everything else waits for this one: the plainest event that there is.
GATE = Check(
    id="control.plain",
    level=Level.MUST,
    sends="idea.created in ASCII, with integers only, rightly signed",
    expects="2xx",
    why="If the plainest event is refused, all events are.",
    fix=fixes.HASH_AS_IT_CAME,
)

PLAIN = Group(checks=(GATE,), procedure=open_gate)

STORY = Group(
    checks=tuple(
        StoryCheck(
            id=f"control.event[{name}]",
            level=Level.MUST,
            sends=f"a sample of {name}",
            expects="2xx",
            why="Leanbe sends all 22 events to the one URL, and tries refused ones again.",
            fix=fixes.ACCEPT_UNKNOWN,
            event=name,
        )
        for name in LIFECYCLE_ORDER
    ),
    procedure=send_story,
)
