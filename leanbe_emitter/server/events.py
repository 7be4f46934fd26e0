"""Events: raising synthetic ones, looking at all, and what the 22 look like."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.emitter import Changes, Leanbe, Wanted
from leanbe_emitter.emitter.synthetic import Sample
from leanbe_emitter.members import Members
from leanbe_emitter.server import answers, delivery_schemas, schemas
from leanbe_emitter.server.asked import PAGE, PAGING, Body, Parameter, Queried
from leanbe_emitter.server.given import Assumed, EventName
from leanbe_emitter.server.kinds import EVENT_GLOB, text
from leanbe_emitter.server.routes import Routes
from leanbe_emitter.wire.assumptions import read
from leanbe_emitter.wire.catalogue import EVENTS, EventKind
from leanbe_emitter.wire.schema import json_schema

_PRODUCT: Final = Parameter(
    name="product", schema=text("Acme", "Name or id of the product whose they are.")
)
_EVENT: Final = Parameter(name="event", schema=EVENT_GLOB)


class NewEvent(Members):
    """A synthetic event that is to be raised; it touches nothing else."""

    event: EventName = Field(description="One of the 22.", examples=["idea.created"])
    set: dict[str, Any] = Field(
        default={},
        description="What is different from the sample payload, by path.",
        examples=[{"title": "Dark mode", "tags[0].title": "ui", "upvotes": 3}],
    )
    unset: list[str] = Field(default=[], description="Paths whose keys are to be missing.")
    payload: Any = Field(default=None, description="A whole payload instead of the sample.")
    strict: bool = Field(default=False, description="Refuse a payload off the event's schema.")
    same_as: str | None = Field(
        default=None, description="A delivery whose document the event goes on with, by id."
    )
    assume: Assumed = Field(default={}, description="Assumptions for this one request.")


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on events."""
    routes = Routes(app, leanbe, "Events")

    @routes.write(
        "POST", "/products/{product}/events", gives=delivery_schemas.TRIGGERED, status=201
    )
    def trigger(product: str, given: Annotated[NewEvent, Depends(Body(NewEvent))]) -> Response:
        """Raise a synthetic event: the catalogue's sample payload, with changes.

        Answers with the event and its delivery, which is null where nothing is owed.
        """
        # A payload may be null: whether it was given is another question.
        is_given = "payload" in given.model_fields_set
        changes = Changes(
            set_json=given.set,
            unset=given.unset,
            payload=given.payload if is_given else Sample.OF_THE_CATALOGUE,
            is_strict=given.strict,
        )
        wanted = Wanted(
            events=[given.event],
            product=product,
            changes=changes,
            same_as=given.same_as,
            assume=given.assume,
        )
        (triggered,) = leanbe.trigger_all(wanted, deliver=False)
        return answers.one(triggered, status=201)

    @routes.read("/events", gives=schemas.page(delivery_schemas.EVENT))
    def list_(asked: Annotated[dict[str, Any], Depends(_LIST)]) -> Response:
        """List events, the newest first, whether anything is owed for them or not."""
        after = asked.pop("cursor", None)
        page = leanbe.events.list(**{"limit": PAGE, **asked}, after=after)
        return answers.page(page, cursor=page.cursor)

    @routes.read("/events/catalogue", gives=schemas.page(delivery_schemas.EVENT_KIND))
    def catalogue() -> Response:
        """List the 22 events, with their meaning."""
        return answers.page(map(_document, EVENTS))

    @routes.read("/events/catalogue/{name}/schema", gives=delivery_schemas.SCHEMA)
    def schema(name: str, asked: Annotated[dict[str, Any], Depends(Queried(_READING))]) -> Response:
        """Show the JSON Schema of an event's payload."""
        product = asked.get("product")
        return answers.one(
            json_schema(name, read({} if product is None else leanbe.assumptions.of(product)))
        )

    @routes.read("/events/{reference}", gives=delivery_schemas.EVENT)
    def show(reference: str) -> Response:
        """Show one event, named by its id, or six digits of either end of it."""
        return answers.one(leanbe.events.get(reference))


_LIST: Final = Queried(_PRODUCT, _EVENT, *PAGING)
_READING: Final = Parameter(
    name="product", schema=text("Acme", "As this product reads the article; else as it stands.")
)


def _document(kind: EventKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "group": kind.group,
        "meaning": kind.meaning,
        "triggerSource": kind.trigger_source,
        "payloadSource": kind.payload_source,
    }
