"""The catalogue of faults: every way in which we can misbehave on purpose, explained in one place.

A fault is a counted misbehaviour. The misbehaviour is one of these kinds or several of them
together; its text (``receiver_fails:status:503``) is what users type and what attempts keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.durations import format_duration, parse_duration
from leanbe_emitter.wire.suggestions import any_of, did_you_mean

#: How a kind's ``how`` stands in its catalogue entry where it is no word of a closed list.
DURATION = "DURATION"
STATUS = "status:CODE"

#: What only attempts say, and nobody types: which part of a fault they were.
AGAIN = "again"
OVERTAKES = "overtakes"
OVERTAKEN = "overtaken"

#: The statuses that a receiver which fails can answer.
FAILURES = range(300, 600)


class ActsOn(StrEnum):
    """What a kind of fault alters."""

    #: What comes back: the receiver seems to fail.
    RECEIVER = "receiver"
    #: What is said: the request's body.
    REQUEST = "request"
    #: How it is said: the bytes on the network. A receiver in this process has none.
    WIRE = "wire"
    #: When it is said, and how often.
    SCHEDULE = "schedule"


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """One way to misbehave.

    Attributes:
        name: the word for it in the library, on the command line and in REST.
        acts_on: what it alters.
        meaning: what the receiver sees, and what becomes of the delivery.
        how: the ways to do it, each with its meaning; empty where there is only one.
        default: the way that is taken where none is named.
        on_record: what attempts say of it besides those ways.
    """

    name: str
    acts_on: ActsOn
    meaning: str
    how: Mapping[str, str] = field(default_factory=dict, hash=False)
    default: str = ""
    on_record: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def needs_wire(self) -> bool:
        """Whether it cannot be done to a receiver in this process."""
        return self.acts_on is ActsOn.WIRE

    def description(self, how: str) -> str:
        """Return what it comes to if it is done so, in sentences for people."""
        ways = {**self.how, **self.on_record}
        way = ways.get(STATUS if how.startswith("status:") else how)
        return f"{self.meaning} Here: {way}." if way else self.meaning

    def check_how(self, how: str | None) -> str:
        """Return a way to do it as it is stored; the default for None.

        Raises:
            InvalidValue: it is none of this kind's.
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
            return InvalidValue(
                f"{self.name} was told how: {how!r}.", hint="There is one way only: leave it out."
            )
        return InvalidValue(
            f"{self.name} cannot be done by {how!r}.",
            hint=did_you_mean(how, self.how) or f"Use {any_of(self.how)}.",
        )


_CALLED = {
    "timeout": "no answer comes within the product's timeout: `unknown`",
    "reset": "the connection is reset before an answer: `unknown`",
    "slow": "an answer begins, and is not complete within the timeout: `unknown`, with its head",
    STATUS: "it answers with that status, from 300 to 599: `refused`",
}
_UNCALLED = {
    "timeout": _CALLED["timeout"],
    "refused": "nobody listens: `unreachable`",
    "reset": _CALLED["reset"],
    "slow": _CALLED["slow"],
    STATUS: _CALLED[STATUS],
}

#: All kinds, in the order in which they are told.
FAULT_KINDS: tuple[FaultKind, ...] = (
    FaultKind(
        name="receiver_fails",
        acts_on=ActsOn.RECEIVER,
        meaning="Nothing: it is not called, and the attempt fails at once, without waiting.",
        how=_UNCALLED,
        default="timeout",
    ),
    FaultKind(
        name="receiver_fails_after_call",
        acts_on=ActsOn.RECEIVER,
        meaning=(
            "The request, and acts on it; then its answer is lost, and the attempt fails at once: "
            "it gets the same event again."
        ),
        how=_CALLED,
        default="timeout",
    ),
    FaultKind(
        name="tampered_payload",
        acts_on=ActsOn.REQUEST,
        meaning="A payload whose first text was altered after it was signed: it must not verify.",
    ),
    FaultKind(
        name="wrong_secret",
        acts_on=ActsOn.REQUEST,
        meaning="The event signed with another secret than its own: it must not verify.",
    ),
    FaultKind(
        name="missing_signature",
        acts_on=ActsOn.REQUEST,
        meaning="The event with no signature anywhere: it must not verify.",
    ),
    FaultKind(
        name="stale_body",
        acts_on=ActsOn.REQUEST,
        meaning="The event rightly signed, with a `triggeredAt` of long ago, as if replayed.",
        how={DURATION: "how long before the event's own instant"},
        default="1d",
    ),
    FaultKind(
        name="truncated_body",
        acts_on=ActsOn.REQUEST,
        meaning="The first half of the body, whole as HTTP has it, and no JSON.",
    ),
    FaultKind(
        name="unknown_event",
        acts_on=ActsOn.REQUEST,
        meaning="The event rightly signed, under a name that is none of the 22.",
    ),
    FaultKind(
        name="unknown_field",
        acts_on=ActsOn.REQUEST,
        meaning="The event rightly signed, its payload with one more member at its end.",
    ),
    FaultKind(
        name="slow_body",
        acts_on=ActsOn.WIRE,
        meaning="The body piece by piece. This takes real time, and no more than the timeout.",
        how={DURATION: "from its first piece to its last"},
        default="1s",
    ),
    FaultKind(
        name="connection_closed",
        acts_on=ActsOn.WIRE,
        meaning="The whole request, and then we hang up before it can answer: `unknown`.",
        how={"close": "in the ordinary way", "reset": "with a reset"},
        default="close",
    ),
    FaultKind(
        name="delivered_twice",
        acts_on=ActsOn.SCHEDULE,
        meaning="The same request twice, one after the other, whatever it answers: two attempts.",
        on_record={AGAIN: "the second one"},
    ),
    FaultKind(
        name="delivered_late",
        acts_on=ActsOn.SCHEDULE,
        meaning="Nothing until then: the delivery waits, and its attempt is made later.",
        how={DURATION: "how much later, by the clock of the handle"},
        default="10m",
    ),
    FaultKind(
        name="delivered_out_of_order",
        acts_on=ActsOn.SCHEDULE,
        meaning=(
            "The product's next event before this one, which is due when that was sent. Not under "
            "`ordering = strict`, where nothing may overtake."
        ),
        how={DURATION: "how long it waits for the next one at the most"},
        default="1m",
        on_record={OVERTAKES: "the one that came too early", OVERTAKEN: "the one that waited"},
    ),
    FaultKind(
        name="not_delivered",
        acts_on=ActsOn.SCHEDULE,
        meaning=(
            "Nothing, ever: an attempt is on record as `unreachable`, and the delivery is "
            "`cancelled`."
        ),
    ),
)

KIND_NAMES: tuple[str, ...] = tuple(each.name for each in FAULT_KINDS)
_BY_NAME: Mapping[str, FaultKind] = MappingProxyType({each.name: each for each in FAULT_KINDS})


def fault_kind(name: str) -> FaultKind:
    """Return the kind of that name; ``-`` may stand for ``_``.

    Raises:
        InvalidValue: there is none; the hint names the nearest.
    """
    plain = name.replace("-", "_")
    if plain not in _BY_NAME:
        suggestion = did_you_mean(name, KIND_NAMES)
        raise InvalidValue(
            f"There is no fault {name!r}.", hint=suggestion or f"Use {any_of(KIND_NAMES)}."
        )
    return _BY_NAME[plain]


class FaultPart(NamedTuple):
    """One kind of misbehaviour, and how: empty where there is only one way."""

    kind: str
    how: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.how}" if self.how else self.kind


@dataclass(frozen=True)
class FaultSpec:
    """What is done to one attempt: one kind, or several together, in the catalogue's order."""

    parts: tuple[FaultPart, ...]

    @classmethod
    def of(cls, kind: str, how: str | None = None) -> "FaultSpec":
        """Return what users mean.

        Args:
            kind: a kind, or several that are joined by ``+``; ``kind:how`` says how, too.
            how: how, where there is one kind that does not say so itself.

        Raises:
            InvalidValue: there is no such kind or way, or they do not go together.
        """
        texts = [each.strip() for each in kind.split("+")]
        if how is not None and (len(texts) > 1 or ":" in kind):
            raise InvalidValue(
                f"It is not clear what {how!r} belongs to in {kind!r}.",
                hint="Say it beside each kind: 'receiver_fails:timeout+delivered_twice'.",
            )
        parts = [_part(text, how) for text in texts]
        _check_that_they_go_together(parts)
        return cls(tuple(sorted(parts, key=lambda each: KIND_NAMES.index(each.kind))))

    @classmethod
    def read(cls, text: str) -> "FaultSpec":
        """Return what the text of a row or an attempt says."""
        return _read(text)

    def how(self, kind: str) -> str | None:
        """Return how it does this kind, None where it does not."""
        return next((each.how for each in self.parts if each.kind == kind), None)

    def with_how(self, kind: str, how: str) -> "FaultSpec":
        """Return the same with another way to do this kind."""
        return FaultSpec(
            tuple(FaultPart(kind, how) if each.kind == kind else each for each in self.parts)
        )

    @property
    def needs_wire(self) -> bool:
        """Whether it cannot be done to a receiver in this process."""
        return any(_BY_NAME[each.kind].needs_wire for each in self.parts)

    @property
    def hides_from_receiver(self) -> bool:
        """Whether the receiver sees nothing of the attempt."""
        return self.how("receiver_fails") is not None or self.how("not_delivered") is not None

    def description(self) -> str:
        """Return what it is, in a sentence for people."""
        told = " ".join(_BY_NAME[each.kind].description(each.how) for each in self.parts)
        return f"The fault {self} was applied on purpose. What the receiver sees: {told}"

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


def _check_that_they_go_together(parts: list[FaultPart]) -> None:
    kinds = [_BY_NAME[each.kind] for each in parts]
    names = [each.name for each in kinds]
    for one in (ActsOn.RECEIVER, ActsOn.SCHEDULE):
        if sum(each.acts_on is one for each in kinds) > 1:
            raise _contradiction(names, f"Only one of them can act on the {one}.")
    if len(set(names)) < len(names):
        raise _contradiction(names, "Each kind can be named once; times=2 makes it happen twice.")
    if {"wrong_secret", "missing_signature"} <= set(names):
        raise _contradiction(names, "What has no signature is signed with no secret.")
    is_seen = any(each.acts_on in {ActsOn.REQUEST, ActsOn.WIRE} for each in kinds)
    if "not_delivered" in names and len(names) > 1:
        raise _contradiction(names, "Of what is not delivered, nobody sees anything else.")
    if "receiver_fails" in names and is_seen:
        raise _contradiction(names, "A receiver that is not called sees nothing of the request.")


def _contradiction(names: list[str], why: str) -> InvalidValue:
    return InvalidValue(f"{'+'.join(names)} do not go together.", hint=why)


def _status(how: str) -> str:
    code = how.removeprefix("status:")
    if code.isascii() and code.isdigit() and int(code[:9]) in FAILURES:
        return f"status:{int(code)}"
    raise InvalidValue(
        f"A receiver that fails does not answer {code!r}.",
        hint=f"Name a status from {FAILURES.start} to {FAILURES.stop - 1}: status:503.",
    )


def _duration(how: str) -> str:
    seconds = parse_duration(how)
    if seconds <= 0:
        raise InvalidValue(f"{how!r} is no time at all.", hint="Write a duration like 500ms or 1h.")
    return format_duration(seconds)
