"""The kinds of values that bodies have: as models read them, and as the API's document has them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from leanbe_emitter.server.schemas import deliveries, json_schema, setup
from leanbe_emitter.strict_model import AssumptionValue

#: A name, or another text with something to see in it.
Filled = Annotated[str, WithJsonSchema(json_schema.FILLED)]
Email = Annotated[str, WithJsonSchema(json_schema.EMAIL)]
Url = Annotated[str, WithJsonSchema(json_schema.URL)]
#: What is signed with; any text, but not none.
Secret = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
Headers = Annotated[dict[str, str], WithJsonSchema(json_schema.HEADERS)]
Status = Annotated[str, WithJsonSchema(deliveries.STATUS)]
EventName = Annotated[str, WithJsonSchema(json_schema.EVENT_NAME)]
EventGlob = Annotated[str, WithJsonSchema(json_schema.EVENT_GLOB)]
Since = Annotated[str, WithJsonSchema(json_schema.SINCE)]
Age = Annotated[str, WithJsonSchema(json_schema.AGE)]
Instant = Annotated[str, WithJsonSchema(json_schema.INSTANT)]
Cursor = Annotated[str, WithJsonSchema(json_schema.cursor("A cursor of the journal."))]
#: Assumptions to set.
Assumed = Annotated[dict[str, AssumptionValue], WithJsonSchema(setup.SET)]


#: Name and value.
_PAIR = 2


def _object_of_pairs(value: Any) -> Any:
    """Let pairs of name and value be headers, as the evidence of attempts has them."""
    is_pairs = isinstance(value, list) and all(
        isinstance(each, list) and len(each) == _PAIR and all(isinstance(it, str) for it in each)
        for each in value
    )
    return dict(value) if is_pairs else value


#: Headers of a request that was sent, in either form.
SentHeaders = Annotated[
    dict[str, str], BeforeValidator(_object_of_pairs), WithJsonSchema(json_schema.SENT_HEADERS)
]


def _whole(value: Any) -> Any:
    """Let ``2.0`` be whole, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Marks a whole number.
WHOLE = BeforeValidator(_whole)
