"""Synthetic events: raised, or only shown as the requests that they would be.

One body names an event and another several; all else that is said of them is the same, and becomes
the library's ``TriggerRequest`` in one place.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import ConfigDict, Field, JsonValue

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Changes, Leanbe, TriggerRequest
from leanbe_emitter.library.trigger.synthetic_events import Sample
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import WHOLE, Assumed, EventName
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.samples.story import STORY_ORDER

#: How often at once, at the most: an answer has all that was made.
_MOST: Final = 100


class _Synthetic(StrictModel):
    """What is said of synthetic events besides their names."""

    set: dict[str, Any] = Field(
        default={},
        description="What is different from the sample payload, or from `payload`, by path.",
        examples=[{"title": "Dark mode"}],
    )
    unset: list[str] = Field(default=[], description="Paths whose keys are to be missing.")
    payload: Any = Field(
        default=None, description="A whole payload instead of the sample; it may be null."
    )
    strict: bool = Field(default=False, description="Refuse a payload off the event's schema.")
    same_as: str | None = Field(
        default=None, description="A delivery whose document the event goes on with, by id."
    )
    assume: Assumed = Field(default={}, description="Assumptions for this one request.")

    def _wanted(self, events: Sequence[str], *, product: str, times: int = 1) -> TriggerRequest:
        # A payload may be null: whether it was given is another question.
        is_given = "payload" in self.model_fields_set
        changes = Changes(
            set_json=self.set,
            unset=self.unset,
            payload=self.payload if is_given else Sample.OF_THE_CATALOGUE,
            is_strict=self.strict,
        )
        return TriggerRequest(
            events=events,
            product=product,
            changes=changes,
            same_as=self.same_as,
            times=times,
            assume=self.assume,
        )


class NewEvent(_Synthetic):
    """A synthetic event that is to be raised; it touches nothing else."""

    event: EventName = Field(description="One of the 22.", examples=["idea.created"])

    def wanted(self, product: str) -> TriggerRequest:
        """Return it as the library takes it."""
        return self._wanted([self.event], product=product)


#: Which members there are: some names, or the word for all of them.
_ONE_WAY: Final[list[JsonValue]] = [
    {"required": ["events"], "properties": {"events": {"minItems": 1}, "all": {"const": False}}},
    {"required": ["all"], "properties": {"events": {"maxItems": 0}, "all": {"const": True}}},
]


class NewEvents(_Synthetic):
    """Synthetic events that are to be raised, all of one and the same document."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_WAY})

    events: list[EventName] = Field(
        default=[], description="Of the 22, in this order.", examples=[["idea.created"]]
    )
    all: bool = Field(default=False, description="Instead: all 22, as one story.")
    times: Annotated[int, Field(ge=1, le=_MOST), WHOLE] = Field(
        default=1, description="How often, each time with a document of its own."
    )

    def wanted(self, product: str) -> TriggerRequest:
        """Return them as the library takes them.

        Raises:
            InvalidValue: no event is named, or some are and all of them, too.
        """
        if self.all == bool(self.events):
            raise InvalidValue(
                "Which events are meant has to be said in one way.",
                hint='Give {"events": [...]} with names of the catalogue, or {"all": true}.',
            )
        names = STORY_ORDER if self.all else self.events
        return self._wanted(names, product=product, times=self.times)


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations that raise synthetic events, and show what they would send."""
    routes = Routes(app, leanbe, "Events")
    several = Depends(Body(NewEvents))

    @routes.write("POST", "/products/{product}/events", gives=deliveries.TRIGGERED, status=201)
    def raise_(product: str, given: Annotated[NewEvent, Depends(Body(NewEvent))]) -> Response:
        """Raise a synthetic event: the catalogue's sample payload, with changes.

        Answers with the event and its delivery, which is null where nothing is owed.
        """
        (triggered,) = leanbe.trigger_all(given.wanted(product), deliver=False)
        return responses.one(triggered, status=201)

    @routes.write(
        "POST", "/products/{product}/trigger", gives=setup.page(deliveries.TRIGGERED), status=201
    )
    def trigger(product: str, given: Annotated[NewEvents, several]) -> Response:
        """Raise several synthetic events, or all 22, of one and the same document.

        Answers with each event and its delivery, in the order in which they were raised.
        """
        return responses.page(leanbe.trigger_all(given.wanted(product), deliver=False), status=201)

    @routes.add(
        "POST",
        "/products/{product}/trigger/dry-run",
        gives=setup.page(deliveries.REQUEST),
        refuses=READING,
    )
    def dry_run(product: str, given: Annotated[NewEvents, several]) -> Response:
        """Show the requests that `trigger` would make; nothing is stored or sent.

        The values of headers that the product set are masked.
        """
        return responses.page(leanbe.dry_run(given.wanted(product)))
