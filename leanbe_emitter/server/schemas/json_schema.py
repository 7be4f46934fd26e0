"""Builders of JSON Schema, which require a description and an example of each part.

So the example of a whole is built from those of its parts, and always fits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from leanbe_emitter.wire.event_names import EVENT_NAMES

Schema = Mapping[str, Any]


def string(example: str, description: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a string."""
    return {"type": "string", "description": description, "examples": [example], **more}


def enum(values: Iterable[str], description: str) -> dict[str, Any]:
    """Return the schema of one of these strings; the first is the example."""
    return {"type": "string", "description": description, "enum": [*map(str, values)]}


def integer(example: int, description: str, *, minimum: int = 0) -> dict[str, Any]:
    """Return the schema of an integer."""
    return {
        "type": "integer",
        "description": description,
        "minimum": minimum,
        "examples": [example],
    }


def number(example: float, description: str) -> dict[str, Any]:
    """Return the schema of a number that is not negative."""
    return {"type": "number", "description": description, "minimum": 0, "examples": [example]}


def boolean(description: str, *, example: bool) -> dict[str, Any]:
    """Return the schema of a boolean."""
    return {"type": "boolean", "description": description, "examples": [example]}


def identifier(example: str, description: str) -> dict[str, Any]:
    """Return the schema of an id."""
    return string(example, description, pattern="^[0-9a-f]{24}$")


def instant(example: str, description: str) -> dict[str, Any]:
    """Return the schema of an instant."""
    return string(example, description, format="date-time")


def cursor(description: str) -> dict[str, Any]:
    """Return the schema of a cursor of the journal."""
    return string("0-17-2", description, pattern="^[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,9}$")


def cursor_of_list(description: str) -> dict[str, Any]:
    """Return the schema of a cursor of a list."""
    example = "1688021817472-649d2ac49c3a1954e6a2e421"
    return string(example, description, pattern="^-?[0-9]{1,15}-[0-9a-f]{24}$")


def object_of(properties: Schema, *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an object with these members only."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def list_of(item: Schema) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"type": "array", "items": dict(item)}


def or_null(schema: Schema) -> dict[str, Any]:
    """Return the schema of a value that may be null."""
    closed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **closed}


def example_of(schema: Schema) -> Any:
    """Return a value that fits a schema: its own example, or one built from those of its parts.

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
            return _example_object(members, schema.get("required", ()))
        case {"items": item}:
            return [example_of(item)]
        case _:
            return _example_of_type(schema)


def _example_object(members: Schema, required: Sequence[str]) -> dict[str, Any]:
    return {
        name: example_of(member)
        for name, member in members.items()
        if name in required or "examples" in member
    }


def _example_of_type(schema: Schema) -> Any:
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


#: Headers that a request can carry.
HEADERS: Final = {
    "type": "object",
    "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
    "additionalProperties": {"type": "string", "pattern": "^[\\t\\x20-\\x7e\\x80-\\xff]*$"},
}
#: Headers that a receiver got: an object, or pairs of name and value.
RECEIVED_HEADERS: Final = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "string"}},
        list_of({**list_of({"type": "string"}), "minItems": 2, "maxItems": 2}),
    ]
}
#: Pattern of a character that is not white space in JavaScript, whose patterns JSON Schema has, nor
#: in Python, which has five characters more.
NON_SPACE: Final = r"[^\s\x1c-\x1f\x85]"
_SPACE: Final = NON_SPACE.replace("^", "")
#: A text that is not blank.
NON_BLANK: Final = {"type": "string", "pattern": NON_SPACE, "maxLength": 200}
#: A product's statuses of backlog items.
STATUSES: Final = {"type": "array", "items": NON_BLANK, "minItems": 1, "uniqueItems": True}
#: A webhook's URL.
URL: Final = {"type": "string", "format": "uri", "pattern": "^https?://[^#@]+$", "maxLength": 4096}
_EMAIL_CHARACTER: Final = NON_SPACE.replace("]", "@]")
#: An e-mail address; the server strips white space around it.
EMAIL: Final = {
    "type": "string",
    "pattern": f"^{_SPACE}*{_EMAIL_CHARACTER}+@{_EMAIL_CHARACTER}+{_SPACE}*$",
    "maxLength": 200,
}


EVENT_NAME: Final = enum(EVENT_NAMES, "An event name.")
#: A filter of events: a name, or a pattern of names.
EVENT_GLOB: Final = string("idea.*", "An event name, or a glob such as `idea.*`.", minLength=1)
_DURATION: Final = (
    "[0-9]{1,9}([.][0-9]{1,3})?|(([0-9]{1,4}|[0-9]{1,3}[.][0-9]{1,3})[smhd]|[0-9]{1,9}ms){1,2}"
)
_DAY_IN_YEAR: Final = "-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#: An instant behind its year, in any form of RFC 3339.
_IN_YEAR: Final = (
    f"{_DAY_IN_YEAR}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
    "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_INSTANT: Final = f"[0-9]{{4}}{_IN_YEAR}"
#: An age.
AGE: Final = string(
    "1h30m", "Least age, such as `10m`; a plain number is seconds.", pattern=f"^({_DURATION})$"
)
SINCE: Final = string(
    "10m",
    "Greatest age, such as `10m` or `1h30m`, or an instant.",
    pattern=f"^({_DURATION}|{_INSTANT})$",
)
#: The value of a document's date: a day, or an instant.
DATE: Final = {"pattern": f"^[0-9]{{4}}({_DAY_IN_YEAR}|{_IN_YEAR})$"}
#: An instant within ``clock.RANGE``, to which a clock can be set.
INSTANT: Final = string(
    "2026-01-01T00:00:00Z",
    "An instant in RFC 3339, in the years 1971 to 2105 in UTC; digits beyond milliseconds are "
    "dropped.",
    pattern=f"^(197[1-9]|19[89][0-9]|[2-8][0-9]{{3}}){_IN_YEAR}$",
    format="date-time",
)
