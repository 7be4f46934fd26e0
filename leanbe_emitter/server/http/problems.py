"""Problems: every error of the API as ``application/problem+json`` (RFC 9457), made here alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from leanbe_emitter.errors import (
    Conflict,
    DatabaseUnavailable,
    InvalidValue,
    LeanbeError,
    NotFound,
    OutOfDescriptors,
    PayloadTooLarge,
    WaitTimedOut,
)
from leanbe_emitter.wire.did_you_mean import any_of, nearest
from leanbe_emitter.wire.stringify import stringify

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

MEDIA_TYPE = "application/problem+json"


class NoSuchPath(NotFound):
    """The API has no operation at this path."""

    code = "no_such_path"


class MethodNotAllowed(LeanbeError):
    """The operations at this path have other methods."""

    code = "method_not_allowed"


class Unauthorized(LeanbeError):
    """The token is missing or wrong."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__(
            "The token is missing or wrong.",
            hint="Send it in a header: Authorization: Bearer TOKEN.",
        )


class Forbidden(LeanbeError):
    """The headers show that another web page made a browser send the request."""

    code = "forbidden"


class NotReady(LeanbeError):
    """The server cannot do its work at the moment."""

    code = "not_ready"


class HeadTooLarge(LeanbeError):
    """The head of a request is too long."""

    code = "head_too_large"

    def __init__(self, *, most_bytes: int) -> None:
        super().__init__(
            f"The head of the request is longer than {most_bytes} bytes.",
            hint="Send shorter headers, and long values in the body.",
        )


class RequestTimedOut(LeanbeError):
    """A request did not come in time."""

    code = "request_timed_out"

    def __init__(self, *, head_seconds: float, bytes_per_second: int) -> None:
        super().__init__(
            "The request did not come in time.",
            hint=f"Send its head within {head_seconds:g} s, and its body at {bytes_per_second} "
            "bytes a second at least.",
        )


class TooManyConnections(LeanbeError):
    """The server has as many connections as it may have."""

    code = "too_many_connections"

    def __init__(self) -> None:
        super().__init__(
            "The server has as many connections as it may have.",
            hint="Try again later; LEANBE_EMITTER_MAX_CONNECTIONS sets the limit.",
        )


class Unforeseen(LeanbeError):
    """A bug of leanbe-emitter; the log has the traceback."""

    code = "unforeseen"


_STATUS: Mapping[type[LeanbeError], HTTPStatus] = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    WaitTimedOut: HTTPStatus.REQUEST_TIMEOUT,
    RequestTimedOut: HTTPStatus.REQUEST_TIMEOUT,
    Conflict: HTTPStatus.CONFLICT,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    OutOfDescriptors: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyConnections: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: LeanbeError) -> HTTPStatus:
    """Return the status of an error's class, or of its nearest base class that has one."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: LeanbeError, **more: Any) -> Response:
    """Return the response for an error; ``more`` are further members of its document."""
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    content = stringify({**_document(error), **more})
    return Response(content, status.value, headers, media_type=MEDIA_TYPE)


def _document(error: LeanbeError) -> dict[str, Any]:
    status = status_of(error)
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": error.code,
        "detail": error.message,
        "hint": error.hints.request,
    }


#: An example of a problem for each status, for the OpenAPI document.
_EXAMPLES: Sequence[LeanbeError] = (
    Unauthorized(),
    Forbidden(
        "This server does not answer to the name 'leanbe.example'.",
        hint="To allow the name, start the server with --allowed-host leanbe.example.",
    ),
    NotFound("There is no product 'Acmee'.", hint="Did you mean Acme?"),
    RequestTimedOut(head_seconds=10, bytes_per_second=4096),
    Conflict("There is a product 'Acme' already.", hint="Names are unique: choose another one."),
    PayloadTooLarge(
        "The request's body is longer than 1048576 bytes.",
        hint="LEANBE_EMITTER_MAX_REQUEST_BYTES sets the limit.",
    ),
    HeadTooLarge(most_bytes=65536),
    InvalidValue("There is no field 'titel' to set.", hint="Did you mean title?"),
    NotReady("The server's worker has failed.", hint="Start the server again."),
)


def reference(status: HTTPStatus) -> dict[str, str]:
    """Return the OpenAPI document's reference to the response with a problem of this status."""
    return {"$ref": f"#/components/responses/{_response_name(status)}"}


def openapi_responses() -> dict[str, Any]:
    """Return the responses with problems for the OpenAPI document, by name."""
    return {_response_name(status_of(each)): _openapi_response(each) for each in _EXAMPLES}


def _response_name(status: HTTPStatus) -> str:
    # Not the phrase, which depends on the version of Python.
    return f"Problem{status.value}"


def _openapi_response(error: LeanbeError) -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _document(error)}
    return {"description": status_of(error).phrase, "content": {MEDIA_TYPE: content}}


def add_error_handlers(app: Starlette) -> None:
    """Answer each error that an operation raises with its problem."""
    app.add_exception_handler(LeanbeError, _leanbe_error)
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(405, _method_not_allowed)


def lookup_in_path(lookup: Callable[[str], Found], name: str) -> Found:
    """Look up a name from a path; an unknown name is an unknown path.

    Raises:
        NotFound: ``lookup`` refused the name.
    """
    try:
        return lookup(name)
    except InvalidValue as error:
        raise NotFound(error.message, hint=error.hints) from None


async def _leanbe_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeanbeError)  # noqa: S101 - what the handler was added for
    if isinstance(error, NotFound) and _is_word_of_another_route(request):
        return await _method_not_allowed(request, error)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The client cannot mend it: whoever runs the server reads the log.
        logger.warning("A request could not be answered.", extra={"reason": error.message})
    return problem(error)


async def _not_found(request: Request, _: Exception) -> Response:
    similar = _similar_paths(request)
    suggestion = f"Did you mean {any_of(similar)}? " if similar else ""
    return problem(
        NoSuchPath(
            f"There is nothing at {request.url.path}.",
            hint=f"{suggestion}All paths are in /openapi.json.",
        )
    )


def _similar_paths(request: Request) -> list[str]:
    """Return the paths that differ from a request's in one word, which is similar."""
    asked = request.url.path.split("/")
    found = []
    for route in request.app.routes:
        parts = getattr(route, "path", "").split("/")
        if len(parts) == len(asked) and (path := _corrected(asked, parts)):
            found.append(path)
    return [*dict.fromkeys(found)]


def _corrected(asked: Sequence[str], parts: Sequence[str]) -> str:
    """Return the path asked for with a route's word for its only wrong one, else nothing."""
    words = [
        word if part.startswith("{") else part for word, part in zip(asked, parts, strict=True)
    ]
    wrong = [(word, right) for word, right in zip(asked, words, strict=True) if word != right]
    is_similar = len(wrong) == 1 and nearest(wrong[0][0], [wrong[0][1]])
    return "/".join(words) if is_similar else ""


async def _method_not_allowed(request: Request, _: Exception) -> Response:
    allowed = ", ".join(sorted(_methods_at(request)))
    response = problem(
        MethodNotAllowed(
            f"{request.url.path} does not take {request.method}.", hint=f"It takes {allowed}."
        )
    )
    response.headers["Allow"] = allowed
    return response


def _is_word_of_another_route(request: Request) -> bool:
    """Whether a path parameter's value is a fixed word in a route for other methods."""
    parameters = len(request.path_params)
    return any(len(route.param_convertors) < parameters for route in _for_other_methods(request))


def _methods_at(request: Request) -> set[str]:
    """Return the methods at a path, of the routes with the fewest parameters."""
    found = _for_other_methods(request)
    fewest = min(len(route.param_convertors) for route in found)
    return {
        method
        for route in found
        if len(route.param_convertors) == fewest
        for method in route.methods or ()
    }


def _for_other_methods(request: Request) -> list[Route]:
    """Return the routes that match the path, but not the method."""
    return [
        route
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL
    ]


def unforeseen(error: Exception, *, method: str, path: str) -> Response:
    """Log an unforeseen exception with its traceback, and return its response."""
    logger.error(
        "A request failed because of a bug in leanbe-emitter.",
        exc_info=error,
        extra={"method": method, "path": path},
    )
    return problem(
        Unforeseen(
            f"{type(error).__name__} while the server handled {method} {path}.",
            hint="This is a bug in leanbe-emitter: the server's log has the traceback.",
        )
    )
