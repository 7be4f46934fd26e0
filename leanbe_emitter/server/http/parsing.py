"""What a request asks: its query and its body, each described once, for reading and for OpenAPI.

What is not described is refused, so that a filter that is misspelt does not list everything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast

from fastapi import Request
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as JsonSchemaError
from jsonschema.exceptions import best_match
from pydantic import ValidationError

from leanbe_emitter.errors import InvalidValue, NotFound, PayloadTooLarge
from leanbe_emitter.server.schemas.examples import example_of
from leanbe_emitter.server.schemas.json_schema import (
    EVENT_GLOB,
    Schema,
    cursor_of_list,
    text,
    truth,
)
from leanbe_emitter.strict_model import StrictModel, mistake_of, shown
from leanbe_emitter.wire.stringify import JSON, parse_given, stringify
from leanbe_emitter.wire.suggestions import did_you_mean, there_are

#: How much of a body that is too long is read and forgotten, by the limit.
_HEARD_OUT: Final = 16

#: How many a list shows unless it is told otherwise, and how many at the most.
_PAGE, _LONGEST_PAGE = 50, 200


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a query.

    Attributes:
        name: as it is written in the query.
        schema: what it says, and which values it takes.
        read: returns what the text stands for.
        keyword: what the library calls it; by default as the query does.
    """

    name: str
    schema: Schema
    read: Callable[[str], Any] = str
    keyword: str = ""

    def described(self) -> dict[str, Any]:
        """Return it as OpenAPI has it."""
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.schema["description"],
            "schema": dict(self.schema),
            "example": example_of(self.schema),
        }


def flag(name: str, meaning: str) -> Parameter:
    """Return a parameter that is true or false."""
    return Parameter(name=name, schema=truth(meaning, eg=True), read=_flag)


def _flag(said: str) -> bool:
    if said not in {"true", "false"}:
        raise InvalidValue(f"{said!r} is neither true nor false.", hint="Write true or false.")
    return said == "true"


def _limit(said: str) -> int:
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:9]) <= _LONGEST_PAGE):
        raise InvalidValue(f"{said!r} is no limit.", hint=f"Use 1 to {_LONGEST_PAGE}.")
    return int(said)


#: What lists in parts take.
PAGING: Final = (
    Parameter(
        name="limit",
        schema={
            "type": "integer",
            "description": "How many at the most.",
            "minimum": 1,
            "maximum": _LONGEST_PAGE,
            "default": _PAGE,
        },
        read=_limit,
    ),
    Parameter(
        name="cursor",
        schema=cursor_of_list("Go on after the page that this cursor came with."),
        keyword="after",
    ),
)
#: What lists of events and of deliveries are narrowed down by.
NARROWING: Final = (
    Parameter(name="event", schema=EVENT_GLOB),
    Parameter(name="product", schema=text("Acme", "Name or id of the product whose they are.")),
)


class Queried:
    """A dependency that gives what a query asks, by the library's keywords.

    What is left out is there if it has a default.
    """

    def __init__(self, *parameters: Parameter) -> None:
        self._parameters = {each.name: each for each in parameters}
        self._defaults = {
            each.keyword or each.name: each.schema["default"]
            for each in parameters
            if "default" in each.schema
        }

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Read a request's query.

        Raises:
            InvalidValue: a parameter that there is not, one twice, or a value that is refused.
        """
        given: dict[str, Any] = {}
        for name, said in request.query_params.multi_items():
            parameter = self._parameters.get(name)
            if parameter is None:
                raise _unknown(name, list(self._parameters))
            keyword = parameter.keyword or name
            if keyword in given:
                raise InvalidValue(f"{name} is there twice.", hint="Give it once.")
            given[keyword] = parameter.read(said)
        return {**self._defaults, **given}

    def described(self) -> dict[str, Any]:
        """Return what OpenAPI says of it."""
        return {"parameters": [each.described() for each in self._parameters.values()]}


class AnyQuery:
    """A dependency that takes whatever a query asks, and passes it over."""

    async def __call__(self, _: Request) -> None:
        """Read nothing."""

    def described(self) -> dict[str, Any]:
        """Return what OpenAPI says of it: there is nothing to ask."""
        return {"parameters": []}


async def no_query(request: Request) -> None:
    """See that a request asks nothing by its query.

    Raises:
        InvalidValue: it does.
    """
    if request.scope["query_string"]:
        await _NO_PARAMETERS(request)


_NO_PARAMETERS: Final = Queried()


def _unknown(name: str, known: Sequence[str]) -> InvalidValue:
    return InvalidValue(
        f"There is no parameter {name!r}.", hint=did_you_mean(name, known) or there_are(known)
    )


Found = TypeVar("Found")


def named_in_path(look: Callable[[str], Found], name: str) -> Found:
    """Return what a name in a path stands for; where it stands for nothing, the path does, too.

    Raises:
        NotFound: ``look`` refused the name.
    """
    try:
        return look(name)
    except InvalidValue as error:
        raise NotFound(error.message, hint=error.hints) from None


class Fields:
    """A dependency that gives the object of a body; whoever takes it looks at what is in it.

    Args:
        schema: of the object, for OpenAPI.
        is_required: whether there has to be one; else no body is an empty object.
        eg: an example of one.
    """

    def __init__(
        self, schema: Schema, *, is_required: bool = True, eg: Mapping[str, JSON] | None = None
    ) -> None:
        self._schema = schema
        self._is_required = is_required
        self._eg = eg

    async def __call__(self, request: Request) -> dict[str, JSON]:
        """Read a request's body.

        Raises:
            InvalidValue: it is no JSON, or no object, or is encoded.
            PayloadTooLarge: it is longer than the limit.
            PayloadTooDeep: it is nested deeper than the limit.
        """
        settings = request.app.state.settings
        content = await _content(request, most=settings.max_request_bytes)
        if not content and not self._is_required:
            return {}
        _require_plain(request)
        value = _value(content, max_depth=settings.max_depth) if content else None
        if not isinstance(value, dict):
            what = "no JSON object" if content else "empty"
            raise InvalidValue(f"The body is {what}.", hint=self._what_to_send())
        return value

    def _what_to_send(self) -> str:
        example = example_of(self._schema) if self._eg is None else self._eg
        return f"Send JSON like {stringify(example)}; its Content-Type does not matter."

    def described(self) -> dict[str, Any]:
        """Return what OpenAPI says of it."""
        example = {} if self._eg is None else {"example": dict(self._eg)}
        content = {"application/json": {"schema": dict(self._schema), **example}}
        return {"requestBody": {"required": self._is_required, "content": content}}


async def no_body(request: Request) -> None:
    """See that a request's body has nothing in it; an empty object is nothing.

    Raises:
        InvalidValue: it has.
        PayloadTooLarge: it is longer than the limit.
    """
    if not _HAS_BODY.isdisjoint(request.headers.keys()):
        content = await _content(request, most=request.app.state.settings.max_request_bytes)
        if content.strip() not in {b"", b"{}"}:
            raise InvalidValue("Nothing is read of a body here.", hint="Send none.")


#: Headers that announce a body; HTTP/1.1 has none without one of them.
_HAS_BODY: Final = frozenset({"content-length", "transfer-encoding"})


def check(given: Mapping[str, JSON], schema: Schema) -> None:
    """See whether an object is as its schema says.

    Raises:
        InvalidValue: it is not; the message names the place and what is wrong there.
    """
    error = best_match(Draft202012Validator(schema).iter_errors(given))
    if error is not None:
        raise _unfit(error)


def _unfit(error: JsonSchemaError) -> InvalidValue:
    """Return what is wrong, in the words that models have for it."""
    place = error.json_path.removeprefix("$").removeprefix(".") or "The body"
    given: Any = error.instance
    match error.validator, error.validator_value:
        case "required", list(names):
            missing = next(name for name in names if name not in given)
            return InvalidValue(f"{missing} is missing.", hint=f"Give {missing}.")
        case "type", str(kind) if kind in _KINDS:
            hint = f"It has to be {_KINDS[kind]}."
            return InvalidValue(f"{place} is {shown(given)}.", hint=hint)
        case _:
            hint = "All members are in /openapi.json."
            return InvalidValue(f"{place}: {error.message}.", hint=hint)


#: What JSON Schema's types are in words.
_KINDS: Final = {"string": "text", "number": "a number", "array": "a list", "object": "an object"}


G = TypeVar("G", bound=StrictModel)


class Body(Generic[G]):
    """A dependency that gives a body as a model.

    Args:
        model: what it has to be.
        is_required: whether there has to be one; else no body is an empty object.
        queried: what stands in the query instead, and is looked for here.
    """

    def __init__(
        self, model: type[G], *, is_required: bool = True, queried: Sequence[Parameter] = ()
    ) -> None:
        self._model = model
        self._queried = [each.name for each in queried]
        self._fields = Fields(_schema_of(model), is_required=is_required)

    async def __call__(self, request: Request) -> G:
        """Read a request's body; raises what ``Fields`` does, also where the model refuses it."""
        fields = await self._fields(request)
        for name in self._queried:
            if name in fields:
                raise InvalidValue(
                    f"{name} is no member of the body: it belongs in the query.",
                    hint=f"Ask for {request.url.path}?{name}=...",
                )
        try:
            return self._model.model_validate(fields)
        except ValidationError as error:
            raise _refused(error, self._model) from None

    def described(self) -> dict[str, Any]:
        """Return what OpenAPI says of it."""
        return self._fields.described()


@cache
def _schema_of(model: type[StrictModel]) -> Schema:
    """Return a model's schema in one piece: its references would begin at the document's root."""
    schema = model.model_json_schema()
    apart = schema.pop("$defs", {})
    return cast("dict[str, Any]", _in_place(schema, apart))


def _in_place(part: Any, apart: Mapping[str, Any]) -> Any:
    match part:
        case {"$ref": str(place)}:
            return _in_place(apart[place.removeprefix("#/$defs/")], apart)
        case dict():
            return {name: _in_place(each, apart) for name, each in part.items()}
        case list():
            return [_in_place(each, apart) for each in part]
        case _:
            return part


def _refused(error: ValidationError, model: type[StrictModel]) -> InvalidValue:
    """Return the first that is wrong; a misspelt member before that which is missing for it."""
    told = error.errors(include_url=False)
    first = min(told, key=lambda each: each["type"] != "extra_forbidden")
    mistake = mistake_of(first, model, whole="The body")
    inside = ".".join(map(str, first["loc"][:-1]))
    within = f"In {inside}: " if inside else ""
    return InvalidValue(f"{within}{mistake.message}", hint=mistake.hint)


def _require_plain(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise InvalidValue(
            f"The body has the Content-Encoding {encoding!r}.",
            hint="Send its JSON as it is, without that header.",
        )


async def _content(request: Request, *, most: int) -> bytes:
    """Return a request's body.

    One that is too long is heard out, within reason: whoever still sends does not hear an answer.
    Whoever asks first whether to send it is answered at once.
    """
    length, content = 0, bytearray()
    declared = request.headers.get("content-length", "0")
    if not ("expect" in request.headers and int(declared) > most):
        async for chunk in request.stream():
            length += len(chunk)
            if length <= most:
                content += chunk
            elif length > most * _HEARD_OUT:
                break
        if length <= most:
            return bytes(content)
    raise PayloadTooLarge(
        f"The request's body is longer than {most} bytes.",
        hint="LEANBE_EMITTER_MAX_REQUEST_BYTES sets the limit.",
    )


def _value(content: bytes, *, max_depth: int) -> JSON:
    try:
        return parse_given(content.decode(), max_depth=max_depth)
    except UnicodeDecodeError as error:
        raise InvalidValue(
            f"The body is no UTF-8: byte {error.start} is wrong.", hint="JSON is always UTF-8."
        ) from None
