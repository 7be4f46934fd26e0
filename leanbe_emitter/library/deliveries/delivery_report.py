"""What became of every event, in words: what a failed assertion shows.

What is nearest to what was expected comes first: the same event with the fewest differences, then
events of like names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from leanbe_emitter.library.deliveries.delivery import Attempt, Delivery, Event
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.event_names import matches
from leanbe_emitter.wire.payloads.subset import differences

#: How many lines a list has at the most.
_MOST_LINES = 10
#: How many differences of one payload are shown.
_MOST_DIFFERENCES = 3
#: How much of an answer's body is shown, in characters.
_LONGEST_ANSWER = 80
#: So many hexadecimal digits of an id's end tell it apart (the beginning is the time).
_SHOWN_OF_ID = 6


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What somebody expects to have been delivered.

    Attributes:
        event: an event's name, or a glob.
        payload: a part of the payload; None: any will do.
    """

    event: str
    payload: Any = None

    def fits(self, event: Event) -> bool:
        """Say whether an event is one of these."""
        return matches(event.name, self.event) and not self.differences(event)

    def differences(self, event: Event) -> list[str]:
        """Return where the payload is not as expected."""
        return [] if self.payload is None else differences(self.payload, event.payload)

    def distance(self, event: Event) -> tuple[int, int, float]:
        """Return how far an event is from what is expected: less is nearer."""
        likeness = SequenceMatcher(a=self.event, b=event.name, autojunk=False).ratio()
        return (not matches(event.name, self.event), len(self.differences(event)), -likeness)

    def __str__(self) -> str:
        return self.event if self.payload is None else f"{self.event} with that payload"


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What was recorded, and what became of it.

    Attributes:
        deliveries: all of them, in the order of their creation.
        unowed: events that nobody is owed, since their product has no webhook, or none that wants
            them.
    """

    deliveries: Sequence[Delivery]
    unowed: Sequence[Event] = ()

    def that(self, expected: Expected, holds: Callable[[Delivery], bool]) -> list[Delivery]:
        """Return the deliveries of what is expected of which something holds."""
        return [each for each in self.deliveries if expected.fits(each.event) and holds(each)]

    def instead(self, expected: Expected) -> str:
        """Say what became of everything, nearest first."""
        lists = (
            ("Delivered:", [each for each in self.deliveries if each.delivered]),
            ("Not delivered:", [each for each in self.deliveries if not each.delivered]),
        )
        parts = [
            _list(title, [*_of_deliveries(sorted(some, key=_by_distance(expected)), expected)])
            for title, some in lists
            if some
        ]
        if self.unowed:
            title = "Recorded, and owed to nobody (their product has no webhook that wants them):"
            parts.append(_list(title, dict.fromkeys(f"  {each.name}" for each in self.unowed)))
        return "\n".join(parts) or "Nothing was recorded at all."

    def these(self, deliveries: Sequence[Delivery]) -> str:
        """Show deliveries, one a line."""
        return _list("These are:", [line_of(each) for each in deliveries])


def line_of(delivery: Delivery) -> str:
    """Show a delivery: its event, the end of its id, and what came of its last attempt."""
    return f"  {delivery.event.name}  …{delivery.id[-_SHOWN_OF_ID:]}  {_became(delivery)}"


def _became(delivery: Delivery) -> str:
    if not delivery.attempts:
        return f"{delivery.status.value}, never attempted"
    last = delivery.attempts[-1]
    tries = f" at attempt {last.number}" if last.number > 1 else ""
    return f"{last.outcome.value}{tries}{_answered(last)}"


def _answered(attempt: Attempt) -> str:
    parts = []
    if attempt.answer_status is not None:
        parts.append(str(attempt.answer_status))
        if attempt.outcome is not Outcome.DELIVERED and attempt.shown_answer:
            parts.append(in_one_line(attempt.shown_answer, longest=_LONGEST_ANSWER))
    if attempt.error:
        parts.append(attempt.error)
    if attempt.fault:
        parts.append(f"by the fault {attempt.fault}")
    return f": {' '.join(parts)}" if parts else ""


def in_one_line(answer: bytes, *, longest: int) -> str:
    """Return the beginning of an answer's body, be it a whole page, in so many characters."""
    return " ".join(answer.decode(errors="replace").split())[:longest]


def _by_distance(expected: Expected) -> Callable[[Delivery], Any]:
    return lambda delivery: expected.distance(delivery.event)


def _of_deliveries(deliveries: Iterable[Delivery], expected: Expected) -> Iterator[str]:
    for each in deliveries:
        yield line_of(each)
        if matches(each.event.name, expected.event):
            different = expected.differences(each.event)
            yield from (f"      {one}" for one in different[:_MOST_DIFFERENCES])
            if len(different) > _MOST_DIFFERENCES:
                yield f"      and {len(different) - _MOST_DIFFERENCES} more differences"


def _list(title: str, lines: Iterable[str]) -> str:
    shown = list(lines)
    more = [f"  and {len(shown) - _MOST_LINES} more lines"] if len(shown) > _MOST_LINES else []
    return "\n".join([title, *shown[:_MOST_LINES], *more])
