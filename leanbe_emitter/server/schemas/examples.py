"""Examples of schemas, built from the examples of their parts.

So an example always fits its schema, and each part declares its example once.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def example_of(schema: Mapping[str, Any]) -> Any:
    """Return a value that fits: the schema's own example, or one built from its parts'.

    An object shows its required members, and those that have an example of their own.

    Raises:
        LookupError: neither the schema nor its parts have an example.
    """
    match schema:
        case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first}:
            return first
        case {"default": value} if value is not None:
            return value
        case {"anyOf": [first, *_]}:
            return example_of(first)
        case {"properties": members}:
            return _object(members, schema.get("required", ()))
        case {"items": item}:
            return [example_of(item)]
        case _:
            return _of_type(schema)


def _object(members: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        name: example_of(member)
        for name, member in members.items()
        if name in required or "examples" in member
    }


def _of_type(schema: Mapping[str, Any]) -> Any:
    kinds = schema.get("type", ())
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "object":
            return {}
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 1)
        case _:
            raise LookupError(f"The schema {dict(schema)} has no example.")
