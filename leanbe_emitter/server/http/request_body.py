"""Request bodies: JSON objects, read whatever their Content-Type, and validated by a model.

A body is described once, for reading and for the OpenAPI document. A member that the description
does not name is refused.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from leanbe_emitter.errors import InvalidValue, PayloadTooLarge
from leanbe_emitter.server.http.query_parameters import QueryParameter
from leanbe_emitter.server.schemas.json_schema import Schema, example_of
from leanbe_emitter.strict_model import StrictModel, field_error_of
from leanbe_emitter.wire.stringify import JSON, parse_given_bytes, stringify

#: Length of a body that is parsed in a thread: the loop would not serve others meanwhile.
_LONG: Final = 16 * 1024
#: Headers that announce a body; an HTTP/1.1 request without them has none.
_BODY_HEADERS: Final = frozenset({"content-length", "transfer-encoding"})

Model = TypeVar("Model", bound=StrictModel)


class ObjectBody:
    """A dependency that returns the body's object; the library checks its members.

    Args:
        schema: the object's schema, for the OpenAPI document.
        is_required: whether a request needs a body; else no body is an empty object.
        example: an example of the object.
    """

    def __init__(
        self, schema: Schema, *, is_required: bool = True, example: Mapping[str, JSON] | None = None
    ) -> None:
        self._schema = schema
        self._is_required = is_required
        self._example = example

    async def __call__(self, request: Request) -> Any:
        """Read a request's body; a long one is parsed in a thread.

        Raises:
            InvalidValue: the body is no JSON, or no object, or is compressed.
            PayloadTooLarge: it is longer than the limit.
            PayloadTooDeep: it is nested deeper than the limit.
        """
        content = await _content(request)
        if len(content) > _LONG:
            return await run_in_threadpool(self.parse, request, content)
        return self.parse(request, content)

    def parse(self, request: Request, content: bytes) -> Any:
        """Return the object in the bytes of a request's body; raise what a call raises."""
        if not content and not self._is_required:
            return {}
        _require_identity_encoding(request)
        depth = request.app.state.settings.max_depth
        value = parse_given_bytes(content, what="The body", max_depth=depth) if content else None
        if not isinstance(value, dict):
            what = "no JSON object" if content else "empty"
            raise InvalidValue(f"The body is {what}.", hint=self._hint())
        return value

    def _hint(self) -> str:
        example = example_of(self._schema) if self._example is None else self._example
        return f"Send JSON like {stringify(example)}; its Content-Type does not matter."

    def openapi(self) -> dict[str, Any]:
        """Return its part of the operation's OpenAPI object."""
        example = {} if self._example is None else {"example": dict(self._example)}
        content = {"application/json": {"schema": dict(self._schema), **example}}
        return {"requestBody": {"required": self._is_required, "content": content}}


class ModelBody(ObjectBody):
    """A dependency that returns the body as a model.

    Args:
        model: the body's model.
        is_required: whether a request needs a body; else no body is an empty object.
        example: an example of the body; by default one from the model.
        query: parameters that users may write in the body by mistake; the error says so.
    """

    def __init__(
        self,
        model: type[StrictModel],
        *,
        is_required: bool = True,
        example: Mapping[str, JSON] | None = None,
        query: Sequence[QueryParameter] = (),
    ) -> None:
        super().__init__(_schema_of(model), is_required=is_required, example=example)
        self._model = model
        self._query_names = [each.name for each in query]

    def parse(self, request: Request, content: bytes) -> Any:
        """Return the model; raise what a call raises, also if the model refuses the body."""
        members = super().parse(request, content)
        for name in self._query_names:
            if name in members:
                raise InvalidValue(
                    f"{name} is no member of the body: it belongs in the query.",
                    hint=f"Ask for {request.url.path}?{name}=...",
                )
        return validated(members, self._model)


def validated(members: Mapping[str, JSON], model: type[Model]) -> Model:
    """Return the members of an object as a model.

    Raises:
        InvalidValue: the model refuses them.
    """
    try:
        return model.model_validate(members)
    except ValidationError as error:
        raise _refused(error, model) from None


async def refuse_body(request: Request) -> None:
    """Refuse a body, for an operation without one; an empty object is accepted.

    Raises:
        InvalidValue: the request has a body.
        PayloadTooLarge: the body is longer than the limit.
    """
    if not _BODY_HEADERS.isdisjoint(request.headers.keys()):
        content = await _content(request)
        if content.strip() not in {b"", b"{}"}:
            raise InvalidValue("This operation takes no body.", hint="Send none.")


@cache
def _schema_of(model: type[StrictModel]) -> Schema:
    """Return a model's schema without ``$defs``: their references work in whole documents only."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    return cast("dict[str, Any]", _inlined(schema, definitions))


def _inlined(part: Any, definitions: Mapping[str, Any]) -> Any:
    match part:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.removeprefix("#/$defs/")], definitions)
        case dict():
            # A default of null says only that the member can be left out, as its schema does.
            return {
                name: _inlined(each, definitions)
                for name, each in part.items()
                if (name, each) != ("default", None)
            }
        case list():
            return [_inlined(each, definitions) for each in part]
        case _:
            return part


def _refused(error: ValidationError, model: type[StrictModel]) -> InvalidValue:
    """Return the first mistake; an unknown member comes before the one that is missing for it."""
    errors = error.errors(include_url=False)
    first = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    mistake = field_error_of(first, model, whole="The body")
    parent = ".".join(map(str, first["loc"][:-1]))
    prefix = f"In {parent}: " if parent else ""
    return InvalidValue(f"{prefix}{mistake.message}", hint=mistake.hint)


def _require_identity_encoding(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise InvalidValue(
            f"The body has the Content-Encoding {encoding!r}.",
            hint="Send its JSON as it is, without that header.",
        )


async def _content(request: Request) -> bytes:
    """Return a request's body.

    The answer to a body that is too long comes at once. ``BoundedProtocol`` reads some of the rest,
    so that the client can read the answer.
    """
    max_bytes: int = request.app.state.settings.max_request_bytes
    length = int(request.headers.get("content-length", "0"))
    if length <= max_bytes:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > max_bytes:
                break
        else:
            return bytes(content)
    raise PayloadTooLarge(
        f"The request's body is longer than {max_bytes} bytes.",
        hint="LEANBE_EMITTER_MAX_REQUEST_BYTES sets the limit.",
    )
