"""A check as data: what is sent, what should come, why it matters, and what repairs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest
from leanbe_emitter.conformance.verdicts import Level

#: Makes the request of a check.
Make: TypeAlias = Callable[[RequestFactory], SampleRequest]


class Need(StrEnum):
    """A need of a check, besides a receiver."""

    #: The receiver is reached over a network.
    NETWORK = "network"
    #: Something shows what the receiver stored.
    OBSERVATION = "observation"
    #: The run starts the receiver itself, so that it can kill it.
    START = "start"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        id: its name, after its group's: ``signature.missing``.
        level: how much it counts.
        sends: what is sent, in words.
        expects: what should come, in words.
        why: why it matters, as a sentence.
        fix: the line to change, by language.
        needs: what it needs, besides a receiver.
    """

    id: str
    level: Level
    sends: str
    expects: str
    why: str
    fix: Mapping[str, str] = field(repr=False)
    needs: frozenset[Need] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RequestCheck(Check):
    """A check of one request.

    Attributes:
        make: returns the request.
    """

    make: Make
