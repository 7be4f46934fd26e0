"""Types of the fields of request bodies, each with its schema for the OpenAPI document.

The model checks a value's JSON type; the library checks everything else.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from leanbe_emitter.server.schemas import deliveries, json_schema, setup
from leanbe_emitter.strict_model import AssumptionValue

#: A name, or another text that is not blank.
NonBlank = Annotated[str, WithJsonSchema(json_schema.NON_BLANK)]
Email = Annotated[str, WithJsonSchema(json_schema.EMAIL)]
Url = Annotated[str, WithJsonSchema(json_schema.URL)]
#: A secret: any text but the empty one.
Secret = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
Headers = Annotated[dict[str, str], WithJsonSchema(json_schema.HEADERS)]
Status = Annotated[str, WithJsonSchema(deliveries.STATUS)]
EventName = Annotated[str, WithJsonSchema(json_schema.EVENT_NAME)]
EventGlob = Annotated[str, WithJsonSchema(json_schema.EVENT_GLOB)]
TextSearch = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["q"])]
About = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["about"])]
Outcome = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["outcome"])]
Answer = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["answer"])]
FaultFilter = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["fault"])]
JobName = Annotated[str, WithJsonSchema(deliveries.EVIDENCE_FILTERS["job"])]
Since = Annotated[str, WithJsonSchema(json_schema.SINCE)]
Age = Annotated[str, WithJsonSchema(json_schema.AGE)]
Instant = Annotated[str, WithJsonSchema(json_schema.INSTANT)]
ClockTarget = Annotated[str, WithJsonSchema({"anyOf": [{"const": "next"}, json_schema.INSTANT]})]
Cursor = Annotated[str, WithJsonSchema(json_schema.cursor("Cursor of the journal."))]
#: Assumptions to set, by name.
Assumptions = Annotated[dict[str, AssumptionValue], WithJsonSchema(setup.NEW_ASSUMPTIONS)]


#: Length of a pair of name and value.
_PAIR = 2


def _object_of_pairs(value: Any) -> Any:
    """Return pairs of name and value, the form of headers in attempts, as an object."""
    is_pairs = isinstance(value, list) and all(
        isinstance(each, list) and len(each) == _PAIR and all(isinstance(it, str) for it in each)
        for each in value
    )
    return dict(value) if is_pairs else value


#: Headers of a request that a receiver got, in either form.
ReceivedHeaders = Annotated[
    dict[str, str], BeforeValidator(_object_of_pairs), WithJsonSchema(json_schema.RECEIVED_HEADERS)
]


def _integer(value: Any) -> Any:
    """Return ``2.0`` as an integer, which it is in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Validator of integers; pydantic's own refuses ``2.0``.
INTEGER = BeforeValidator(_integer)
