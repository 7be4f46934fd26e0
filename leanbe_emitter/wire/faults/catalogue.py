"""The catalogue of faults: every kind of deliberate misbehaviour, with its explanation.

A ``FaultSpec`` is what happens to one attempt: one of these kinds or several together. Users type
its text (``receiver_fails:status:503``), and attempts store it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean
from leanbe_emitter.wire.durations import format_duration, parse_duration

#: Keys of ``how`` in the catalogue that stand for a value: any duration, any status.
DURATION = "DURATION"
STATUS = "status:CODE"

#: Values of ``how`` that only attempts have: their part in a fault of several attempts.
AGAIN = "again"
OVERTAKES = "overtakes"
OVERTAKEN = "overtaken"

#: The statuses that a failing receiver can answer.
FAILURES = range(300, 600)


class ActsOn(StrEnum):
    """The part of a delivery that a kind of fault changes."""

    #: The answer: the receiver seems to fail.
    RECEIVER = "receiver"
    #: The request's body.
    REQUEST = "request"
    #: The bytes on the network. A receiver in this process has none.
    WIRE = "wire"
    #: The time of the request, or the number of requests.
    SCHEDULE = "schedule"


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: its name in the library, on the command line and in REST.
        acts_on: the part of a delivery that it changes.
        meaning: what the receiver gets, and the result for the delivery.
        how: its variants, each with its meaning; empty if there is only one.
        default: the variant to take if the user names none.
        on_record: further variants, which only attempts have.
    """

    name: str
    acts_on: ActsOn
    meaning: str
    how: Mapping[str, str] = field(default_factory=dict, hash=False)
    default: str = ""
    on_record: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def needs_wire(self) -> bool:
        """Whether it needs the network, so that no receiver in this process can take it."""
        return self.acts_on is ActsOn.WIRE

    def description(self, how: str) -> str:
        """Return the meaning of this kind with this variant, in sentences."""
        ways = {**self.how, **self.on_record}
        way = ways.get(STATUS if how.startswith("status:") else how)
        return f"{self.meaning} Here: {way}." if way else self.meaning

    def document(self) -> dict[str, Any]:
        """Return the kind as JSON, in words of what the receiver gets."""
        return {
            "kind": self.name,
            "group": self.acts_on.value,
            "sees": self.meaning,
            "ways": [{"how": how, "sees": meaning} for how, meaning in self.how.items()],
            "default": self.default or None,
        }

    def check_how(self, how: str | None) -> str:
        """Return the canonical text of a variant; the default for None.

        Raises:
            InvalidValue: this kind has no such variant.
        """
        if how is None:
            return self.default
        if how in self.how and how not in {DURATION, STATUS}:
            return how
        if STATUS in self.how and how.startswith("status:"):
            return _status(how)
        if DURATION in self.how:
            return _duration(how)
        raise self._refusal(how)

    def _refusal(self, how: str) -> InvalidValue:
        if not self.how:
            return InvalidValue(f"{self.name} takes no how: {how!r}.", hint="Leave it out.")
        return InvalidValue(
            f"{self.name} has no how {how!r}.",
            hint=did_you_mean(how, self.how) or f"Use {any_of(self.how)}.",
        )


_CALLED = {
    "timeout": "no answer comes within the product's timeout: `unknown`",
    "reset": "the connection is reset before an answer comes: `unknown`",
    "slow": "an answer begins and is not complete within the timeout: `unknown`, with its head",
    STATUS: "the receiver answers with this status, from 300 to 599: `refused`",
}
_UNCALLED = {
    "timeout": _CALLED["timeout"],
    "refused": "no program listens at the address: `unreachable`",
    "reset": _CALLED["reset"],
    "slow": _CALLED["slow"],
    STATUS: _CALLED[STATUS],
}

#: All kinds, in the order of the documentation.
FAULT_KINDS: tuple[FaultKind, ...] = (
    FaultKind(
        name="receiver_fails",
        acts_on=ActsOn.RECEIVER,
        meaning="No request. The attempt fails at once, without waiting.",
        how=_UNCALLED,
        default="timeout",
    ),
    FaultKind(
        name="receiver_fails_after_call",
        acts_on=ActsOn.RECEIVER,
        meaning=(
            "The request, on which it acts. Then its answer is lost and the attempt fails at once, "
            "so the receiver gets the same event again."
        ),
        how=_CALLED,
        default="timeout",
    ),
    FaultKind(
        name="tampered_payload",
        acts_on=ActsOn.REQUEST,
        meaning="A payload whose first text was changed after it was signed. It must not verify.",
    ),
    FaultKind(
        name="wrong_secret",
        acts_on=ActsOn.REQUEST,
        meaning="The event, signed with the wrong secret. It must not verify.",
    ),
    FaultKind(
        name="missing_signature",
        acts_on=ActsOn.REQUEST,
        meaning="The event without any signature. It must not verify.",
    ),
    FaultKind(
        name="stale_body",
        acts_on=ActsOn.REQUEST,
        meaning="The event, signed correctly, with an old `triggeredAt`, as in a replay.",
        how={DURATION: "how long before the event's own time"},
        default="1d",
    ),
    FaultKind(
        name="truncated_body",
        acts_on=ActsOn.REQUEST,
        meaning="The first half of the body. The HTTP request is complete, its body is no JSON.",
    ),
    FaultKind(
        name="unknown_event",
        acts_on=ActsOn.REQUEST,
        meaning="The event, signed correctly, under a name that is none of the 22.",
    ),
    FaultKind(
        name="unknown_field",
        acts_on=ActsOn.REQUEST,
        meaning="The event, signed correctly, with an additional member at the payload's end.",
    ),
    FaultKind(
        name="slow_body",
        acts_on=ActsOn.WIRE,
        meaning="The body piece by piece. This takes real time, at most the timeout.",
        how={DURATION: "the time from the first piece to the last"},
        default="1s",
    ),
    FaultKind(
        name="connection_closed",
        acts_on=ActsOn.WIRE,
        meaning="The whole request. Then the sender closes the connection at once: `unknown`.",
        how={"close": "an ordinary close", "reset": "a reset"},
        default="close",
    ),
    FaultKind(
        name="delivered_twice",
        acts_on=ActsOn.SCHEDULE,
        meaning="The same request twice, one after the other, for any answer: two attempts.",
        on_record={AGAIN: "the second request"},
    ),
    FaultKind(
        name="delivered_late",
        acts_on=ActsOn.SCHEDULE,
        meaning="The request, but later: the delivery waits before its attempt.",
        how={DURATION: "how long it waits, by the handle's clock"},
        default="10m",
    ),
    FaultKind(
        name="delivered_out_of_order",
        acts_on=ActsOn.SCHEDULE,
        meaning=(
            "The product's next event first; this one is due when the next one was sent. It never "
            "fires under `ordering = strict`, which keeps the order."
        ),
        how={DURATION: "how long it waits for the next event at most"},
        default="1m",
        on_record={OVERTAKES: "the event that came too early", OVERTAKEN: "the event that waited"},
    ),
    FaultKind(
        name="not_delivered",
        acts_on=ActsOn.SCHEDULE,
        meaning=(
            "No request, ever: one attempt is on record as `unreachable`, and the delivery becomes "
            "`cancelled`."
        ),
    ),
)

KIND_NAMES: tuple[str, ...] = tuple(each.name for each in FAULT_KINDS)
_BY_NAME: Mapping[str, FaultKind] = MappingProxyType({each.name: each for each in FAULT_KINDS})


def fault_kind(name: str) -> FaultKind:
    """Return the kind of that name.

    Raises:
        InvalidValue: there is no such kind; the hint names the nearest.
    """
    if name not in _BY_NAME:
        suggestion = did_you_mean(name, KIND_NAMES)
        raise InvalidValue(
            f"There is no fault {name!r}.", hint=suggestion or f"Use {any_of(KIND_NAMES)}."
        )
    return _BY_NAME[name]


class FaultPart(NamedTuple):
    """One kind of a fault and its variant; ``how`` is empty for a kind without variants."""

    kind: str
    how: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.how}" if self.how else self.kind


@dataclass(frozen=True)
class FaultSpec:
    """The faults of one attempt: one kind or several together, in the catalogue's order."""

    parts: tuple[FaultPart, ...]

    @classmethod
    def parse(cls, kind: str, how: str | None = None) -> "FaultSpec":
        """Parse what users type.

        Args:
            kind: a kind, or several joined by ``+``; ``kind:how`` also names the variant.
            how: the variant, for a single kind without one in its text.

        Raises:
            InvalidValue: there is no such kind or variant, or the kinds exclude each other.
        """
        check_type(kind, str, what="The fault", words="the name of a kind, such as receiver_fails")
        texts = [each.strip() for each in kind.split("+")]
        if how is not None and (len(texts) > 1 or ":" in kind):
            raise InvalidValue(
                f"It is not clear which part of {kind!r} how={how!r} belongs to.",
                hint="Write it after each kind: 'receiver_fails:timeout+delivered_twice'.",
            )
        parts = [_part(text, how) for text in texts]
        _check_combination(parts)
        return cls(tuple(sorted(parts, key=lambda each: KIND_NAMES.index(each.kind))))

    @classmethod
    def from_text(cls, text: str) -> "FaultSpec":
        """Parse the stored text of a row or an attempt."""
        return _read(text)

    def how(self, kind: str) -> str | None:
        """Return the variant of this kind; None if the fault does not have the kind."""
        return next((each.how for each in self.parts if each.kind == kind), None)

    def with_how(self, kind: str, how: str) -> "FaultSpec":
        """Return a copy with another variant of this kind."""
        return FaultSpec(
            tuple(FaultPart(kind, how) if each.kind == kind else each for each in self.parts)
        )

    @property
    def needs_wire(self) -> bool:
        """Whether it needs the network, so that no receiver in this process can take it."""
        return any(_BY_NAME[each.kind].needs_wire for each in self.parts)

    @property
    def hides_from_receiver(self) -> bool:
        """Whether the receiver gets no request."""
        return self.how("receiver_fails") is not None or self.how("not_delivered") is not None

    def description(self) -> str:
        """Return what the fault does, in sentences."""
        effects = " ".join(_BY_NAME[each.kind].description(each.how) for each in self.parts)
        return f"The fault {self} was applied on purpose. What the receiver gets: {effects}"

    def __str__(self) -> str:
        return "+".join(map(str, self.parts))


@lru_cache(maxsize=256)
def _read(text: str) -> FaultSpec:
    parts = (each.partition(":") for each in text.split("+"))
    return FaultSpec(tuple(FaultPart(kind, how) for kind, _, how in parts))


def _part(text: str, how: str | None) -> FaultPart:
    name, colon, own = text.partition(":")
    kind = fault_kind(name)
    return FaultPart(kind.name, kind.check_how(own if colon else how))


def _check_combination(parts: list[FaultPart]) -> None:
    kinds = [_BY_NAME[each.kind] for each in parts]
    names = [each.name for each in kinds]
    for one in (ActsOn.RECEIVER, ActsOn.SCHEDULE):
        if sum(each.acts_on is one for each in kinds) > 1:
            raise _contradiction(names, f"Only one of them can change the {one}.")
    if len(set(names)) < len(names):
        raise _contradiction(names, "Name each kind once. With times=2, it happens twice.")
    if {"wrong_secret", "missing_signature"} <= set(names):
        raise _contradiction(names, "A request without a signature is signed with no secret.")
    is_seen = any(each.acts_on in {ActsOn.REQUEST, ActsOn.WIRE} for each in kinds)
    if "not_delivered" in names and len(names) > 1:
        raise _contradiction(names, "If nothing is delivered, no other fault can show.")
    if "receiver_fails" in names and is_seen:
        raise _contradiction(
            names, "receiver_fails sends no request, so no fault of the request can show."
        )


def _contradiction(names: list[str], why: str) -> InvalidValue:
    return InvalidValue(f"{'+'.join(names)} exclude each other.", hint=why)


def _status(how: str) -> str:
    code = how.removeprefix("status:")
    if code.isascii() and code.isdigit() and int(code[:9]) in FAILURES:
        return f"status:{int(code)}"
    raise InvalidValue(
        f"{code!r} is no status of a failing receiver.",
        hint=f"Name a status from {FAILURES.start} to {FAILURES.stop - 1}: status:503.",
    )


def _duration(how: str) -> str:
    seconds = parse_duration(how)
    if seconds <= 0:
        raise InvalidValue(f"{how!r} is no time.", hint="Write a duration like 500ms or 1h.")
    return format_duration(seconds)
