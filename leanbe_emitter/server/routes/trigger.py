"""Synthetic events: trigger them, or show the requests that they would cause.

The body of one event and the body of several events share all members but the names. One method
makes the library's ``TriggerRequest`` of either.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, JsonValue
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Changes, Leanbe, TriggerRequest
from leanbe_emitter.library.trigger.synthetic_events import Sample, TriggerLimits
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.query_parameters import Query, choice_parameter
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import INTEGER, Assumptions, EventName
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

#: Most repetitions of a request: its response has all events.
_MAX_TIMES: Final = 100
#: Values of the parameter ``view``.
_VIEWS: Final = ("whole", "ids")
#: Limits of a request: it is one transaction, and one response.
_LIMITS: Final = TriggerLimits(max_events=1000, max_bytes=16 << 20)
_VIEW: Final = Query(
    choice_parameter(
        "view", _VIEWS, "`ids`: the response leaves out all payloads.", default=_VIEWS[0]
    )
)


class _Synthetic(StrictModel):
    """Members that bodies of synthetic events share."""

    set: dict[str, Any] = Field(
        default={},
        description="Changes of the sample payload, or of `payload`, by path.",
        examples=[{"title": "Dark mode"}],
    )
    unset: list[str] = Field(default=[], description="Paths of members to remove.")
    payload: Any = Field(
        default=None, description="Whole payload instead of the sample; it may be null."
    )
    strict: bool = Field(
        default=False,
        description="Whether to refuse a payload that does not fit the event's schema.",
    )
    same_as: str | None = Field(
        default=None, description="Id of a delivery; the event is about the same document."
    )
    assume: Assumptions = Field(default={}, description="Assumptions of this request only.")

    def _request(self, events: Sequence[str], *, product: str, times: int = 1) -> TriggerRequest:
        # A payload may be null, so its value does not tell whether the body has one.
        has_payload = "payload" in self.model_fields_set
        changes = Changes(
            set_json=self.set,
            unset=self.unset,
            payload=self.payload if has_payload else Sample.OF_THE_CATALOGUE,
            is_strict=self.strict,
        )
        return TriggerRequest(
            events=events,
            product=product,
            changes=changes,
            same_as=self.same_as,
            times=times,
            limits=_LIMITS,
            assume=self.assume,
        )


class NewEvent(_Synthetic):
    """A synthetic event; it changes no document."""

    event: EventName = Field(description="Name of the event.", examples=["idea.created"])

    def trigger_request(self, product: str) -> TriggerRequest:
        """Return the library's request."""
        return self._request([self.event], product=product)


#: Names of events, or ``all``. A boolean that is constant stands behind ``not``: elsewhere,
#: generators of clients write code for it that is none.
_ONE_WAY: Final[list[JsonValue]] = [
    {
        "required": ["events"],
        "properties": {"events": {"minItems": 1}},
        "not": {"required": ["all"], "properties": {"all": {"const": True}}},
    },
    {
        "required": ["all"],
        "properties": {"events": {"maxItems": 0}},
        "not": {"properties": {"all": {"const": False}}},
    },
]


class NewEvents(_Synthetic):
    """Synthetic events, all about the same document."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_WAY})

    events: list[EventName] = Field(
        default=[], description="Names of events, in order.", examples=[["idea.created"]]
    )
    all: bool = Field(
        default=False,
        description="Whether to trigger all 22 events, as one story, instead of `events`.",
    )
    times: Annotated[int, Field(ge=1, le=_MAX_TIMES), INTEGER] = Field(
        default=1, description="Number of repetitions, each about a document of its own."
    )

    def trigger_request(self, product: str) -> TriggerRequest:
        """Return the library's request.

        Raises:
            InvalidValue: the body has neither events nor ``all``, or both.
        """
        if self.all == bool(self.events):
            raise InvalidValue(
                "Which events are meant has to be said in one way.",
                hint='Give {"events": [...]} with names of the catalogue, or {"all": true}.',
            )
        names = LIFECYCLE_ORDER if self.all else self.events
        return self._request(names, product=product, times=self.times)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on synthetic events."""
    routes = Routes(app, leanbe, "Events")
    several = ModelBody(NewEvents)

    @routes.write("POST", "/products/{product}/events", returns=deliveries.TRIGGERED, status=201)
    def trigger_one(product: str, body: Annotated[NewEvent, ModelBody(NewEvent)]) -> Response:
        """Trigger a synthetic event: the catalogue's sample payload, with changes.

        The response has the event and its delivery, which is null if the product has no URL,
        or excludes the event.
        """
        (triggered,) = leanbe.trigger_all(body.trigger_request(product), deliver=False)
        return responses.one(triggered, status=201)

    @routes.write(
        "POST", "/products/{product}/trigger", returns=setup.page(deliveries.TRIGGERED), status=201
    )
    def trigger(
        product: str, body: Annotated[NewEvents, several], query: Annotated[dict[str, Any], _VIEW]
    ) -> Response:
        """Trigger several synthetic events, or all 22, about the same document.

        The response has each event with its delivery, in order. A request makes at most 1000 events
        with 16 MiB of payloads (413).
        """
        triggered = leanbe.trigger_all(body.trigger_request(product), deliver=False)
        if query["view"] == "ids":
            ids_only = (each.document(has_payload=False) for each in triggered)
            return responses.page(ids_only, status=201)
        return responses.page(triggered, status=201)

    @routes.add(
        "POST",
        "/products/{product}/trigger/dry-run",
        returns=setup.page(deliveries.REQUEST),
        errors=READING,
    )
    def dry_run(product: str, body: Annotated[NewEvents, several]) -> Response:
        """Show the requests that `trigger` would cause; the server stores and sends nothing.

        Values of the product's own headers are masked.
        """
        return responses.page(leanbe.dry_run(body.trigger_request(product)))
