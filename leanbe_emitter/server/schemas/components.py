"""Components of the OpenAPI document: schemas that it describes once, each under a name.

Routes give their operations whole schemas. A client that is generated from the document has a type
for each name, instead of one for each operation.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from leanbe_emitter.server.schemas import checks, deliveries, documents, setup
from leanbe_emitter.server.schemas.json_schema import Schema
from leanbe_emitter.wire.payloads.event_payloads import RESOURCES

#: Members whose values are no schemas.
_NO_SCHEMAS: Final = frozenset({"example", "examples", "enum", "const", "default"})


@cache
def _by_name() -> Mapping[str, Schema]:
    """Return the whole schemas by name. They are made when somebody first asks for the document."""
    return {
        "Problem": setup.PROBLEM,
        "Product": setup.PRODUCT,
        "Webhook": setup.WEBHOOK,
        "User": setup.USER,
        "Assumption": setup.ASSUMPTION,
        "NewAssumptions": setup.NEW_ASSUMPTIONS,
        "Clock": setup.CLOCK,
        "Fault": setup.FAULT,
        **{f"{name[0].upper()}{name[1:]}": documents.document(name) for name in RESOURCES},
        "Event": deliveries.EVENT,
        "Delivery": deliveries.DELIVERY,
        "DeliveryRow": deliveries.ROW,
        "Attempt": deliveries.ATTEMPT,
        "TriggeredEvent": deliveries.TRIGGERED,
        "RequestToRepeat": deliveries.REQUEST,
        "Explanation": deliveries.EXPLANATION,
        "Check": checks.CHECK,
    }


def schemas() -> dict[str, Any]:
    """Return the schemas by name, with references to each other."""
    return {name: _members_named(schema) for name, schema in _by_name().items()}


def named(value: Any) -> Any:
    """Return a part of the document with references in the place of the schemas that have names."""
    if isinstance(value, dict):
        name = _name_of(value)
        return _members_named(value) if name is None else _reference(name)
    return [named(each) for each in value] if isinstance(value, list) else value


def _members_named(value: Schema) -> dict[str, Any]:
    return {key: each if key in _NO_SCHEMAS else named(each) for key, each in value.items()}


def _name_of(value: Schema) -> str | None:
    return next((name for name, schema in _by_name().items() if schema == value), None)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
