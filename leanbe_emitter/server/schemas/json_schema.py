"""Schemas of the smallest parts, each with what it means and an example, and of what holds them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from leanbe_emitter.wire.event_names import EVENT_NAMES

Schema = Mapping[str, Any]


def text(eg: str, meaning: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a text that looks like the example."""
    return {"type": "string", "description": meaning, "examples": [eg], **more}


def choice(names: Iterable[str], meaning: str) -> dict[str, Any]:
    """Return the schema of a text that is one of these; the first is the example."""
    return {"type": "string", "description": meaning, "enum": [*map(str, names)]}


def whole(eg: int, meaning: str, *, minimum: int = 0) -> dict[str, Any]:
    """Return the schema of a whole number."""
    return {"type": "integer", "description": meaning, "minimum": minimum, "examples": [eg]}


def number(eg: float, meaning: str) -> dict[str, Any]:
    """Return the schema of a number that is not less than nothing."""
    return {"type": "number", "description": meaning, "minimum": 0, "examples": [eg]}


def truth(meaning: str, *, eg: bool) -> dict[str, Any]:
    """Return the schema of what is true or false."""
    return {"type": "boolean", "description": meaning, "examples": [eg]}


def identifier(eg: str, meaning: str) -> dict[str, Any]:
    """Return the schema of an id."""
    return text(eg, meaning, pattern="^[0-9a-f]{24}$")


def instant(eg: str, meaning: str) -> dict[str, Any]:
    """Return the schema of an instant."""
    return text(eg, meaning, format="date-time")


def cursor(meaning: str) -> dict[str, Any]:
    """Return the schema of a cursor of the journal."""
    return text("0-17-2", meaning, pattern="^[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,9}$")


def cursor_of_list(meaning: str) -> dict[str, Any]:
    """Return the schema of a cursor of a list."""
    eg = "1688021817472-649d2ac49c3a1954e6a2e421"
    return text(eg, meaning, pattern="^-?[0-9]{1,15}-[0-9a-f]{24}$")


def object_of(properties: Schema, *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an object with these members and no others."""
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


#: Names and values of headers, as one may carry them.
HEADERS: Final = {
    "type": "object",
    "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
    "additionalProperties": {"type": "string", "pattern": "^[\\t\\x20-\\x7e\\x80-\\xff]*$"},
}
#: Headers as somebody received them: an object, or pairs.
SENT_HEADERS: Final = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "string"}},
        list_of({**list_of({"type": "string"}), "minItems": 2, "maxItems": 2}),
    ]
}
#: A character that is no white space, neither for JavaScript, whose patterns these are, nor for
#: Python, which has five more.
SEEN: Final = r"[^\s\x1c-\x1f\x85]"
_UNSEEN: Final = SEEN.replace("^", "")
#: A text with something to see in it.
FILLED: Final = {"type": "string", "pattern": SEEN, "maxLength": 200}
#: A product's statuses.
STATUSES: Final = {"type": "array", "items": FILLED, "minItems": 1, "uniqueItems": True}
#: Where a webhook points.
URL: Final = {"type": "string", "format": "uri", "pattern": "^https?://[^#@]+$", "maxLength": 4096}
_OF_EMAIL: Final = SEEN.replace("]", "@]")
#: White space around it is taken off.
EMAIL: Final = {
    "type": "string",
    "pattern": f"^{_UNSEEN}*{_OF_EMAIL}+@{_OF_EMAIL}+{_UNSEEN}*$",
    "maxLength": 200,
}


EVENT_NAME: Final = choice(EVENT_NAMES, "An event name.")
#: What a filter takes: a name, or a pattern of names.
EVENT_GLOB: Final = text("idea.*", "An event name, or a glob such as `idea.*`.", minLength=1)
_DURATION: Final = (
    "[0-9]{1,9}([.][0-9]{1,3})?|(([0-9]{1,4}|[0-9]{1,3}[.][0-9]{1,3})[smhd]|[0-9]{1,9}ms){1,2}"
)
_DAY_IN_YEAR: Final = "-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#: Of an instant, in whatever form of RFC 3339.
_IN_YEAR: Final = (
    f"{_DAY_IN_YEAR}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
    "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_INSTANT: Final = f"[0-9]{{4}}{_IN_YEAR}"
#: How long ago something is to be.
AGE: Final = text(
    "1h30m", "How long ago: `10m`; a plain number is seconds.", pattern=f"^({_DURATION})$"
)
SINCE: Final = text(
    "10m",
    "No older than this: `10m`, `1h30m`, or an instant.",
    pattern=f"^({_DURATION}|{_INSTANT})$",
)
#: A day, or an instant: what a document's date is set by.
DATE: Final = {"pattern": f"^[0-9]{{4}}({_DAY_IN_YEAR}|{_IN_YEAR})$"}
#: What a clock can be set to: the years of ``clock.RANGE``.
INSTANT: Final = text(
    "2026-01-01T00:00:00Z",
    "An instant by RFC 3339, of the years 1971 to 8999 in UTC; what is finer than a millisecond "
    "is cut off.",
    pattern=f"^(197[1-9]|19[89][0-9]|[2-8][0-9]{{3}}){_IN_YEAR}$",
    format="date-time",
)
