"""The one place where errors become answers: ``application/problem+json`` (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.routing import Match, Route

from leanbe_emitter.errors import (
    Conflict,
    DatabaseUnavailable,
    InvalidValue,
    LeanbeError,
    NotFound,
    PayloadTooLarge,
    WaitTimedOut,
)
from leanbe_emitter.hints import LIST_DELIVERIES
from leanbe_emitter.wire.stringify import stringify

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class NoSuchPath(NotFound):
    """The API has nothing at a path."""

    code = "no_such_path"


class MethodNotAllowed(LeanbeError):
    """What is at a path takes other methods."""

    code = "method_not_allowed"


class Unauthorized(LeanbeError):
    """The token is missing, or is another one."""

    code = "unauthorized"


class Forbidden(LeanbeError):
    """A request that a browser was led to, by the look of its headers."""

    code = "forbidden"


class NotReady(LeanbeError):
    """The server cannot do its work at present."""

    code = "not_ready"


class Unforeseen(LeanbeError):
    """An error of ours; the log has its traceback."""

    code = "unforeseen"


_STATUS: Mapping[type[LeanbeError], HTTPStatus] = {
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    WaitTimedOut: HTTPStatus.REQUEST_TIMEOUT,
    Conflict: HTTPStatus.CONFLICT,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: LeanbeError) -> HTTPStatus:
    """Return the status that answers an error: that of its class, or of the nearest above it."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: LeanbeError, **more: Any) -> Response:
    """Return the answer that tells of an error; ``more`` are further members of the document."""
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


#: What each status that operations may answer with looks like, for the API's document.
_EXAMPLES: Sequence[LeanbeError] = (
    Unauthorized(
        "The token is missing, or is another one.",
        hint="Send it in a header: Authorization: Bearer TOKEN.",
    ),
    Forbidden(
        "This server is not asked for as 'leanbe.example'.",
        hint="If it is meant, start it with --allowed-host leanbe.example.",
    ),
    NotFound("There is no product 'Acmee'.", hint="Did you mean Acme?"),
    WaitTimedOut(
        "After 30 s 1 of 2 deliveries came.",
        hint=LIST_DELIVERIES.between("Is a worker running? ", " shows what is owed."),
    ),
    Conflict("There is a product 'Acme' already.", hint="Names are unique: choose another one."),
    PayloadTooLarge(
        "The request's body is longer than 1048576 bytes.",
        hint="LEANBE_EMITTER_MAX_REQUEST_BYTES sets the limit.",
    ),
    InvalidValue("There is no field 'titel' to set.", hint="Did you mean title?"),
    NotReady("The worker inside has failed.", hint="Start the server again."),
)


def example(status: int) -> dict[str, Any]:
    """Return the document of an error that is answered with a status."""
    return next(_document(each) for each in _EXAMPLES if status_of(each) == status)


def answer_errors(app: FastAPI) -> None:
    """Let every error that leaves an operation be answered with its problem."""
    app.add_exception_handler(LeanbeError, _ours)
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(405, _not_allowed)


def require_plain_path(raw_path: bytes) -> None:
    """See that no part of a path, as it was sent, has a slash in it: it would be two parts.

    Raises:
        NoSuchPath: one has.
    """
    if b"%2f" in raw_path.lower():
        raise NoSuchPath(
            f"A part of {raw_path.decode('latin-1')} has a slash in it.",
            hint="What is named so is reached by its id.",
        )


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeanbeError)  # noqa: S101 - what the handler was added for
    if isinstance(error, NotFound) and _is_named_by_another(request):
        return await _not_allowed(request, error)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The caller can do nothing about it: whoever looks after the server can.
        logger.warning("A request could not be answered.", extra={"reason": error.message})
    return problem(error)


async def _not_found(request: Request, _: Exception) -> Response:
    return problem(
        NoSuchPath(
            f"There is nothing at {request.url.path}.", hint="All paths are in /openapi.json."
        )
    )


async def _not_allowed(request: Request, _: Exception) -> Response:
    allowed = ", ".join(sorted(_methods_at(request)))
    answer = problem(
        MethodNotAllowed(
            f"{request.url.path} does not take {request.method}.", hint=f"It takes {allowed}."
        )
    )
    answer.headers["Allow"] = allowed
    return answer


def _is_named_by_another(request: Request) -> bool:
    """Whether what was taken for the name of an object is a word of a route for other methods."""
    taken = len(request.path_params)
    return any(len(route.param_convertors) < taken for route in _for_other_methods(request))


def _methods_at(request: Request) -> set[str]:
    """Return what can be done at a path, by whichever route that names most of it."""
    found = _for_other_methods(request)
    fewest = min(len(route.param_convertors) for route in found)
    return {
        method
        for route in found
        if len(route.param_convertors) == fewest
        for method in route.methods or ()
    }


def _for_other_methods(request: Request) -> list[Route]:
    """Return the routes at a path that do not take the request's method."""
    return [
        route
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL
    ]


def unforeseen(error: Exception, *, method: str, path: str) -> Response:
    """Return the answer to a request that an error of ours ended, and log where."""
    logger.error(
        "A request failed by an error of ours.",
        exc_info=error,
        extra={"method": method, "path": path},
    )
    return problem(
        Unforeseen(
            f"{type(error).__name__} while {method} {path} was answered.",
            hint="This is a mistake of ours: the server's log shows where.",
        )
    )
