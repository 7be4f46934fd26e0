"""The parts of a single request."""

from dataclasses import dataclass

from leanbe_emitter.conformance.events import USUAL_EVENT, Event, Events
from leanbe_emitter.conformance.sample_requests import Sealer


@dataclass(frozen=True, kw_only=True)
class RequestFactory:
    """The parts of a single request.

    Attributes:
        events: makes fresh events.
        sealer: makes requests of them.
        event: the event whose forgeries are sent: one that has an effect, if that is known.
    """

    events: Events
    sealer: Sealer
    event: str = USUAL_EVENT

    def fresh(self) -> Event:
        """Return the event whose forgeries are sent, about a new document."""
        return self.events.plain(self.event)
