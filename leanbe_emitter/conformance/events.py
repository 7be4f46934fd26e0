"""Fresh events: each set of documents has ids of its own, and each event a later instant.

Every title holds a token of its event. So an observation that shows titles tells which event won.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leanbe_emitter.clock import Clock
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Unset
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.payloads.event_payloads import payload_shape
from leanbe_emitter.wire.payloads.shapes import ListOf, Object, Shape, arrange
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON

_MILLISECOND = timedelta(milliseconds=1)
#: The event that is sent if no event is known to have an effect.
USUAL_EVENT = "idea.created"
_PLAIN_TEXTS = {"firstName": "Ada", "description": "Follow the theme of the system."}


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event to send.

    Attributes:
        name: its name.
        payload: its document.
        triggered_at: later than that of every earlier event.
        token: a word of the document's title, which no other event has.
    """

    name: str
    payload: dict[str, JSON] = field(repr=False)
    triggered_at: datetime
    token: str

    def with_members(self, **members: JSON) -> "Event":
        """Return the event with these members of its payload."""
        return replace(self, payload={**self.payload, **members})

    def named(self, name: str) -> "Event":
        """Return the event under another name."""
        return replace(self, name=name)


class Documents:
    """One set of documents that belong together, and the events about them."""

    def __init__(self, events: "Events", samples: SamplePayloads) -> None:
        self._events = events
        self._samples = samples

    def sample(self, name: str) -> Event:
        """Return the next event about these documents, with all of its members."""
        return self._events.titled(name, self._samples.payload(name))

    def event(self, name: str) -> Event:
        """Return the next event about these documents, so plain that all serialisers agree."""
        return self._events.plainly(self.sample(name))


class Events:
    """The source of events.

    Args:
        clock: the source of time.
        ids: the source of ids and tokens.
        assumptions: they shape the payloads.
    """

    def __init__(self, *, clock: Clock, ids: Ids, assumptions: AssumptionSet = ARTICLE) -> None:
        self._clock = clock
        self._ids = ids
        self.assumptions = assumptions
        self._product = {"_id": ids.object_id(clock.now()), "name": "Acme"}
        self._run = ids.object_id(clock.now())[-6:]
        self._numbers = itertools.count(1)
        self._last = clock.now()

    def documents(self) -> Documents:
        """Return a new set of documents."""
        samples = SamplePayloads(
            product=self._product,
            ids=self._ids,
            now=self._clock.now(),
            assumptions=self.assumptions,
        )
        return Documents(self, samples)

    def plain(self, name: str = USUAL_EVENT) -> Event:
        """Return an event about a new document, so plain that all serialisers agree."""
        return self.documents().event(name)

    def plainly(self, event: Event) -> Event:
        """Return an event in ASCII, with the members alone that it has to have, and a text.

        An idea has no ``/``, ``<``, ``&`` or ``{}`` then, and no number but integers.
        """
        shape = payload_shape(event.name, self.assumptions)
        texts = {name: text for name, text in _PLAIN_TEXTS.items() if shape.field(name)}
        required = _required_members(event.payload, shape)
        return replace(event, payload=arrange(required | texts, shape, unset=Unset.OMIT))

    def minimal(self, name: str) -> Event:
        """Return an event with the members alone that Leanbe always sends."""
        return self._required(name, unset=Unset.OMIT)

    def with_nulls(self, name: str) -> Event:
        """Return an event whose optional members are null."""
        return self._required(name, unset=Unset.NULL)

    def titled(self, name: str, payload: dict[str, JSON]) -> Event:
        """Return an event with a token in its title, and a later instant than all before."""
        token = f"check-{self._run}-{next(self._numbers)}"
        key = "lastName" if event_kind(name).resource == "customer" else "title"
        return Event(
            name=name,
            payload={**payload, key: token} if key in payload else payload,
            triggered_at=self._later(),
            token=token,
        )

    def _required(self, name: str, *, unset: Unset) -> Event:
        event = self.documents().sample(name)
        shape = payload_shape(name, self.assumptions)
        required = _required_members(event.payload, shape)
        return replace(event, payload=arrange(required, shape, unset=unset))

    def _later(self) -> datetime:
        self._last = max(self._clock.now(), self._last + _MILLISECOND)
        return self._last


def _required_members(value: JSON, shape: Shape) -> JSON:
    if isinstance(shape, Object) and isinstance(value, dict):
        return dict(_kept(value, shape))
    if isinstance(shape, ListOf) and isinstance(value, list):
        return [_required_members(item, shape.item) for item in value]
    return value


def _kept(value: dict[str, JSON], shape: Object) -> Iterator[tuple[str, JSON]]:
    for name, inner, is_required in shape.members:
        if is_required and name in value:
            yield name, _required_members(value[name], inner)
