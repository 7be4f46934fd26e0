"""Examples of what schemas let through, put together from those of their smallest parts.

So an example can be no other than its schema, and a part is given its example once.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def example_of(schema: Mapping[str, Any]) -> Any:
    """Return a value that fits: the schema's own example, or one that is made of its parts'.

    Of an object's members those are shown that are always there, or have an example of their own.

    Raises:
        LookupError: neither the schema nor its parts say what a value looks like.
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
            raise LookupError(f"Nothing says what a value of {dict(schema)} looks like.")
