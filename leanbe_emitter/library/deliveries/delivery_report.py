"""The report of a failed assertion: what happened to every event.

The nearest events come first: those of the expected name with the fewest differences, then those
with similar names.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.library.deliveries.delivery import Delivery, Event
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.event_names import matches
from leanbe_emitter.wire.payloads.differences import differences

#: The most lines of a list.
_MOST_LINES = 10
#: How many differences of one payload are shown.
_MOST_DIFFERENCES = 3
#: How much of an answer's body is shown, in characters.
_LONGEST_ANSWER = 80
#: How many hexadecimal digits of an id are shown: its end, as its beginning is the time.
_SHOWN_OF_ID = 6


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The events that an assertion expects.

    Attributes:
        event: an event name, or a glob.
        payload: a part of the payload; None matches every payload.
    """

    event: str
    payload: Any = None

    def fits(self, event: Event) -> bool:
        """Return whether an event matches."""
        return matches(event.name, self.event) and not self.differences(event)

    def differences(self, event: Event) -> list[str]:
        """Return the differences of the event's payload."""
        return [] if self.payload is None else differences(self.payload, event.payload)

    def distance(self, event: Event) -> tuple[int, int, float]:
        """Return the distance of an event from the expected ones: less is nearer."""
        likeness = SequenceMatcher(a=self.event, b=event.name, autojunk=False).ratio()
        return (not matches(event.name, self.event), len(self.differences(event)), -likeness)

    def __str__(self) -> str:
        return self.event if self.payload is None else f"{self.event} with that payload"


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """The recorded events and their deliveries.

    Attributes:
        deliveries: all deliveries, in the order of their creation.
        undelivered: events without a delivery, since their product has no webhook that wants them.
    """

    deliveries: Sequence[Delivery]
    undelivered: Sequence[Event] = ()

    def that(self, expected: Expected, holds: Callable[[Delivery], bool]) -> list[Delivery]:
        """Return the deliveries of expected events that meet a condition."""
        return [each for each in self.deliveries if expected.fits(each.event) and holds(each)]

    def instead(self, expected: Expected) -> str:
        """List all deliveries and events, nearest first."""
        lists = (
            ("Delivered:", [each for each in self.deliveries if each.delivered]),
            ("Not delivered:", [each for each in self.deliveries if not each.delivered]),
        )
        parts = [
            _list(title, [*_delivery_lines(sorted(some, key=_by_distance(expected)), expected)])
            for title, some in lists
            if some
        ]
        if self.undelivered:
            title = "Recorded, and not delivered (their product has no webhook that wants them):"
            parts.append(_list(title, dict.fromkeys(f"  {each.name}" for each in self.undelivered)))
        return "\n".join(parts) or "Nothing was recorded at all."

    def these(self, deliveries: Sequence[Delivery]) -> str:
        """List deliveries, one on each line."""
        return _list("These are:", [line_of(each) for each in deliveries])


def line_of(delivery: Delivery) -> str:
    """Show a delivery: its event, the end of its id, and the outcome of its last attempt."""
    return f"  {delivery.event.name}  …{delivery.id[-_SHOWN_OF_ID:]}  {_outcome(delivery)}"


def _outcome(delivery: Delivery) -> str:
    if not delivery.attempts:
        return f"{delivery.status.value}, never attempted"
    last = delivery.attempts[-1]
    tries = f" at attempt {last.number}" if last.number > 1 else ""
    return f"{last.outcome.value}{tries}{_answer(last)}"


def _answer(attempt: Attempt) -> str:
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
    """Return the first ``longest`` characters of an answer's body, in one line."""
    return " ".join(answer.decode(errors="replace").split())[:longest]


def _by_distance(expected: Expected) -> Callable[[Delivery], Any]:
    return lambda delivery: expected.distance(delivery.event)


def _delivery_lines(deliveries: Iterable[Delivery], expected: Expected) -> Iterator[str]:
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
