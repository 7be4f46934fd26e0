"""The kinds of values that bodies have: as models read them, and as the API's document has them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from leanbe_emitter.members import Switch
from leanbe_emitter.server import delivery_schemas, kinds, schemas

#: A name, or another text with something to see in it.
Filled = Annotated[str, WithJsonSchema(kinds.FILLED)]
Email = Annotated[str, WithJsonSchema(kinds.EMAIL)]
Url = Annotated[str, WithJsonSchema(kinds.URL)]
#: What is signed with; any text, but not none.
Secret = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
Headers = Annotated[dict[str, str], WithJsonSchema(kinds.HEADERS)]
Status = Annotated[str, WithJsonSchema(delivery_schemas.STATUS)]
EventName = Annotated[str, WithJsonSchema(kinds.EVENT_NAME)]
EventGlob = Annotated[str, WithJsonSchema(kinds.EVENT_GLOB)]
Since = Annotated[str, WithJsonSchema(kinds.SINCE)]
Age = Annotated[str, WithJsonSchema(kinds.AGE)]
Instant = Annotated[str, WithJsonSchema(kinds.INSTANT)]
Cursor = Annotated[str, WithJsonSchema(kinds.cursor("A cursor of the journal."))]
#: Assumptions to set.
Assumed = Annotated[dict[str, Switch], WithJsonSchema(schemas.SET)]


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
    dict[str, str], BeforeValidator(_object_of_pairs), WithJsonSchema(kinds.SENT_HEADERS)
]


def _whole(value: Any) -> Any:
    """Let ``2.0`` be whole, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Marks a whole number.
WHOLE = BeforeValidator(_whole)
