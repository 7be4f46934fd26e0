"""Query parameters: each is described once, for reading and for the OpenAPI document.

A parameter that an operation does not describe is refused: a misspelt filter must not list
everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.requests import Request

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.server.schemas.json_schema import (
    EVENT_GLOB,
    Schema,
    boolean,
    cursor_of_list,
    enum,
    example_of,
    integer,
    string,
)
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean, there_are

#: Number of items of a page by default, and at most.
_DEFAULT_LIMIT, MAX_LIMIT = 50, 200
#: The largest number that the databases store.
_MAX_INTEGER = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class QueryParameter:
    """A query parameter.

    Attributes:
        name: its name in the query.
        schema: its description and its values.
        parse: returns the value of a text.
        keyword: the library's name for it; by default the same.
    """

    name: str
    schema: Schema
    parse: Callable[[str], Any] = str
    keyword: str = ""

    def openapi(self) -> dict[str, Any]:
        """Return its OpenAPI object."""
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.schema["description"],
            "schema": dict(self.schema),
            "example": example_of(self.schema),
        }


def boolean_parameter(name: str, description: str) -> QueryParameter:
    """Return a parameter whose value is true or false."""
    return QueryParameter(
        name=name, schema=boolean(description, example=True), parse=_parse_boolean
    )


def _parse_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValue(f"{text!r} is neither true nor false.", hint="Write true or false.")
    return text == "true"


def choice_parameter(
    name: str,
    choices: Sequence[str],
    description: str,
    *,
    keyword: str = "",
    default: str | None = None,
) -> QueryParameter:
    """Return a parameter whose value is one of a few words."""
    parse = partial(_parse_choice, name=name, choices=choices)
    schema = enum(choices, description)
    if default is not None:
        schema["default"] = str(default)
    return QueryParameter(name=name, schema=schema, parse=parse, keyword=keyword)


def integer_parameter(name: str, description: str) -> QueryParameter:
    """Return a parameter whose value is a number from 1."""
    schema = integer(1, description, minimum=1)
    schema["maximum"] = _MAX_INTEGER
    return QueryParameter(name=name, schema=schema, parse=partial(_parse_integer, name=name))


def _parse_integer(text: str, *, name: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:11]) <= _MAX_INTEGER:
        return int(text)
    raise InvalidValue(f"{text!r} is no {name}.", hint="Use a number from 1.")


def _parse_choice(text: str, *, name: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise InvalidValue(f"{text!r} is no {name}.", hint=f"Use {any_of(choices)}.")
    return text


def check_page_limit(limit: int, *, most: int = MAX_LIMIT) -> None:
    """Check the number of items of a page.

    Raises:
        InvalidValue: it is none, or more than the most.
    """
    if not 1 <= limit <= most:
        raise InvalidValue(f"{limit} is no limit.", hint=f"Use 1 to {most}.")


def paging(
    *, most: int = MAX_LIMIT, meaning: str = "Maximum number of items."
) -> tuple[QueryParameter, QueryParameter]:
    """Return the parameters of a list that has pages.

    Args:
        most: the most items of a page.
        meaning: the description of the number of items.
    """
    limit = {
        "type": "integer",
        "description": meaning,
        "minimum": 1,
        "maximum": most,
        "default": _DEFAULT_LIMIT,
    }
    after = cursor_of_list("Cursor of the previous page.")
    return (
        QueryParameter(name="limit", schema=limit, parse=partial(_parse_limit, most=most)),
        QueryParameter(name="cursor", schema=after, keyword="after"),
    )


def _parse_limit(text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidValue(f"{text!r} is no limit.", hint=f"Use 1 to {most}.")
    limit = int(text[:9])
    check_page_limit(limit, most=most)
    return limit


#: Parameters of every list that has pages.
PAGING: Final = paging()
#: Filters of the lists of events and of deliveries.
EVENT_FILTERS: Final = (
    QueryParameter(name="event", schema=EVENT_GLOB),
    QueryParameter(name="product", schema=string("Acme", "Name or id of the product.")),
)


class Query:
    """A dependency that returns the query's values by the library's keywords.

    A parameter that the query leaves out has its default, or is not returned.
    """

    def __init__(self, *parameters: QueryParameter) -> None:
        self._parameters = {each.name: each for each in parameters}
        self._defaults = {
            each.keyword or each.name: each.schema["default"]
            for each in parameters
            if "default" in each.schema
        }

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Read a request's query.

        Raises:
            InvalidValue: a parameter is unknown or given twice, or has a value that is refused.
        """
        values: dict[str, Any] = {}
        for name, text in request.query_params.multi_items():
            parameter = self._parameters.get(name)
            if parameter is None:
                raise _unknown(name, list(self._parameters))
            keyword = parameter.keyword or name
            if keyword in values:
                raise InvalidValue(f"{name} is there twice.", hint="Give it once.")
            values[keyword] = parameter.parse(text)
        return {**self._defaults, **values}

    def openapi(self) -> dict[str, Any]:
        """Return its part of the operation's OpenAPI object."""
        return {"parameters": [each.openapi() for each in self._parameters.values()]}


class IgnoredQuery:
    """A dependency that accepts any query and reads nothing of it."""

    async def __call__(self, _: Request) -> None:
        """Read nothing."""

    def openapi(self) -> dict[str, Any]:
        """Return its part of the operation's OpenAPI object: no parameters."""
        return {"parameters": []}


#: The query of an operation without parameters: it refuses each one.
NO_QUERY: Final = Query()


def _unknown(name: str, known: Sequence[str]) -> InvalidValue:
    return InvalidValue(
        f"There is no parameter {name!r}.", hint=did_you_mean(name, known) or there_are(known)
    )
