"""The 22 events: their names, their causes, and what the article says about each.

The article gives names, causes and order (contract a.1). It shows two payloads; the other twenty
are inferred (contract b.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.wire.did_you_mean import LONGEST_WORD, did_you_mean


class Source(StrEnum):
    """The source of a fact."""

    #: Leanbe's article states or shows it.
    STATED = "stated"
    #: This program infers or invents it.
    INFERRED = "inferred"


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """One of the 22 events.

    Attributes:
        name: the resource and what happened to it: ``idea.upVoted``.
        group: a heading for its resource, for people.
        meaning: its cause, as a sentence.
        trigger_source: whether the article states the cause.
        payload_source: whether the article shows the payload.
    """

    name: str
    group: str
    meaning: str
    trigger_source: Source = Source.STATED
    payload_source: Source = Source.INFERRED

    @property
    def resource(self) -> str:
        """The resource in the event's name: ``idea``."""
        return self.name.partition(".")[0]

    @property
    def action(self) -> str:
        """The action in the event's name: ``upVoted``."""
        return self.name.partition(".")[2]

    @property
    def provenance(self) -> str:
        """A sentence on whether Leanbe's article shows the payload."""
        if self.payload_source is Source.STATED:
            return "Leanbe's article shows this payload."
        return "Leanbe's article names this event and does not show its payload."


_GROUPS = {
    "ideaRequest": "Idea requests",
    "idea": "Ideas",
    "customer": "Customers",
    "backlogItem": "Backlog items",
    "okr": "OKRs",
    "announcement": "Announcements",
}

_MEANINGS = {
    "ideaRequest.created": "Somebody asked for something new.",
    "ideaRequest.attachedToIdea": "A request became part of an idea.",
    "ideaRequest.ignored": "A request was set aside for good.",
    "idea.created": "A new idea was written down.",
    "idea.updated": "An idea was edited, archived, assigned or tagged.",
    "idea.promoted": "An idea was taken into the backlog.",
    "idea.deleted": "An idea was removed.",
    "idea.upVoted": "A vote for an idea was cast.",
    "idea.downVoted": "A vote against an idea was cast.",
    "customer.created": "A new customer is known.",
    "customer.updated": "What is known of a customer changed.",
    "customer.deleted": "A customer was removed.",
    "backlogItem.created": "A piece of work entered the backlog.",
    "backlogItem.updated": "A backlog item was edited, other than its status.",
    "backlogItem.deleted": "A backlog item was removed.",
    "backlogItem.statusChanged": "A backlog item moved to another status.",
    "okr.created": "A new objective was set, with its key results.",
    "okr.updated": "An objective or one of its key results changed.",
    "okr.deleted": "An objective was removed.",
    "announcement.created": "A new announcement was written.",
    "announcement.updated": "An announcement was edited, published or taken back.",
    "announcement.deleted": "An announcement was removed.",
}

_SHOWN = ("customer.created", "idea.created")


def _kind(name: str) -> EventKind:
    return EventKind(
        name=name,
        group=_GROUPS[name.partition(".")[0]],
        meaning=_MEANINGS[name],
        payload_source=Source.STATED if name in _SHOWN else Source.INFERRED,
    )


#: All events in the article's order; events of one group are neighbours.
EVENTS: tuple[EventKind, ...] = tuple(_kind(name) for name in _MEANINGS)
EVENT_NAMES: tuple[str, ...] = tuple(event.name for event in EVENTS)
_BY_NAME: Mapping[str, EventKind] = MappingProxyType({event.name: event for event in EVENTS})


def event_kind(name: str) -> EventKind:
    """Return the event of that exact name.

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    if name not in _BY_NAME:
        check_type(name, str, what="The event", words="a name, such as idea.created")
        suggestion = did_you_mean(name, EVENT_NAMES)
        raise InvalidValue(
            f"Leanbe has no event {name!r}.",
            hint=suggestion or f"Its {len(EVENT_NAMES)} events: {', '.join(EVENT_NAMES)}.",
        )
    return _BY_NAME[name]


def matches(name: str, glob: str) -> bool:
    """Return whether an event's name matches a glob: ``idea.*``, ``*.created``, or a name."""
    return fnmatchcase(name, glob)


def matching(glob: str) -> tuple[str, ...]:
    """Return the names that match a glob, in the article's order.

    Raises:
        InvalidValue: no name matches, or the glob is too long; the hint names the nearest.
    """
    check_type(glob, str, what="The event", words="a name or a glob, such as idea.*")
    is_short = len(glob) <= LONGEST_WORD
    names = tuple(name for name in EVENT_NAMES if matches(name, glob)) if is_short else ()
    if not names:
        suggestion = did_you_mean(glob, EVENT_NAMES)
        raise InvalidValue(
            f"No event matches {glob!r}.",
            hint=suggestion or "Use a name, or a glob such as 'idea.*'.",
        )
    return names
