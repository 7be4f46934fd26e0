"""Routing: ``Routes`` adds operations, with all that they have in common.

An endpoint calls the library and returns its result as a response. As the library is synchronous,
endpoints are plain functions that run in threads; only those that wait are coroutines, and hold no
thread meanwhile. The response of a write has a cursor from before the write: all changes that the
write makes come after that cursor. The response of a list has one from before the list was read.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import problems, responses
from leanbe_emitter.server.http.query_parameters import NO_QUERY
from leanbe_emitter.server.http.request_body import refuse_body
from leanbe_emitter.server.schemas.json_schema import Schema, cursor

#: Prefix of all paths of the API.
PREFIX = "/api/v1"
#: Header with the cursor from which a client waits for the changes of a write.
CURSOR = "Leanbe-Emitter-Cursor"

#: Error statuses of all operations, of reads, and of writes.
ANYWHERE = (
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
READING = (*ANYWHERE, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
WRITING = (*READING, HTTPStatus.CONFLICT)

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
#: Returns an endpoint around another one.
_Wrapper: TypeAlias = Callable[[Callable[..., Response]], Callable[..., Any]]


@runtime_checkable
class RequestPart(Protocol):
    """Reads an argument of an endpoint from the request: in the parameter's ``Annotated``."""

    async def __call__(self, request: Request, /) -> Any:
        """Return the argument; raise an error for a request that it refuses."""

    def openapi(self) -> dict[str, Any]:
        """Return its part of the operation's OpenAPI object."""


class Routes:
    """Adds the operations of one tag.

    Args:
        app: the application.
        leanbe: the handle that the endpoints use.
        tag: the operations' tag in the OpenAPI document.
        locks_others: whether a write to a product's documents may lock further products.
    """

    def __init__(
        self, app: Starlette, leanbe: Leanbe, tag: str, *, locks_others: bool = False
    ) -> None:
        self._app = app
        self._leanbe = leanbe
        self._tag = tag
        self._locks_others = locks_others

    def read(self, path: str, *, returns: Schema) -> Callable[[Endpoint], Endpoint]:
        """Add a GET operation that changes nothing.

        Args:
            path: the path after ``PREFIX``.
            returns: the schema of the response.
        """
        return self.add("GET", path, returns=returns, errors=READING)

    def read_list(self, path: str, *, returns: Schema) -> Callable[[Endpoint], Endpoint]:
        """Add a GET operation that answers a list, with the cursor from before it was read.

        Args:
            path: the path after ``PREFIX``.
            returns: the schema of the response.
        """
        headers = {CURSOR: _LIST_CURSOR_HEADER}
        return self._add_wrapped(
            self._followed, "GET", path, returns=returns, errors=READING, headers=headers
        )

    def write(
        self, method: str, path: str, *, returns: Schema | None, status: int = 200
    ) -> Callable[[Endpoint], Endpoint]:
        """Add an operation that changes something; if ``returns`` is None, it answers 204."""
        return self._add_write(self._alone, method, path, returns=returns, status=status)

    def write_grouped(
        self, method: str, path: str, *, returns: Schema | None, status: int = 200
    ) -> Callable[[Endpoint], Endpoint]:
        """Add an operation on a product's documents, which joins a group commit.

        A write that may lock further products locks them in the order of their ids. That fails in a
        transaction that holds a lock already, unless no other process can hold one (SQLite).
        """
        is_alone = self._locks_others and not self._leanbe.writes_alone
        wrap = self._alone if is_alone else self._grouped
        return self._add_write(wrap, method, path, returns=returns, status=status)

    def _add_write(
        self, wrap: _Wrapper, method: str, path: str, *, returns: Schema | None, status: int
    ) -> Callable[[Endpoint], Endpoint]:
        return self._add_wrapped(
            wrap,
            method,
            path,
            returns=returns,
            errors=WRITING,
            status=204 if returns is None else status,
            headers={CURSOR: _CURSOR_HEADER},
        )

    def _add_wrapped(
        self, wrap: _Wrapper, method: str, path: str, **described: Any
    ) -> Callable[[Endpoint], Endpoint]:
        """Add an operation that calls its endpoint through a wrapper."""

        def add(endpoint: Endpoint) -> Endpoint:
            self.add(method, path, **described)(wrap(endpoint))
            return endpoint

        return add

    def add(  # noqa: PLR0913 - what an operation is made of
        self,
        method: str,
        path: str,
        *,
        returns: Schema | None,
        errors: tuple[HTTPStatus, ...],
        status: int = 200,
        headers: Schema | None = None,
        prefix: str = PREFIX,
        media_type: str = responses.MEDIA_TYPE,
        has_end: bool = True,
    ) -> Callable[[Endpoint], Endpoint]:
        """Add an operation; the OpenAPI document has the endpoint's docstring.

        HEAD is answered where GET is, unless the response has no end.
        """

        def add(endpoint: Endpoint) -> Endpoint:
            described = _responses(status, returns, errors, headers or {}, media_type=media_type)
            operation = {
                "tags": [self._tag],
                **_summary_and_description(endpoint),
                "operationId": _operation_id(method, path),
                "responses": described,
            }
            route = OperationRoute(prefix + path, endpoint, method=method, operation=operation)
            if not has_end:
                route.methods = {method}
            self._app.router.routes.append(route)
            return endpoint

        return add

    def _followed(self, endpoint: Callable[..., Response]) -> Callable[..., Response]:
        """Return the endpoint with a cursor from which a client follows what it lists."""

        @wraps(endpoint)
        def followed(**arguments: Any) -> Response:
            cursor = self._leanbe.journal.follow_cursor()
            response = endpoint(**arguments)
            response.headers[CURSOR] = str(cursor)
            return response

        return followed

    def _alone(self, endpoint: Callable[..., Response]) -> Callable[..., Any]:
        """Return the endpoint with a cursor in its response; listeners learn of its commit."""
        on_commit = self._app.state.change_notifier.on_commit

        @wraps(endpoint)
        async def alone(**arguments: Any) -> Response:
            response = await run_in_threadpool(self._with_cursor, endpoint, arguments)
            on_commit()
            return response

        return alone

    def _with_cursor(
        self, endpoint: Callable[..., Response], arguments: dict[str, Any]
    ) -> Response:
        cursor = self._leanbe.journal.wait_cursor()
        response = endpoint(**arguments)
        response.headers[CURSOR] = str(cursor)
        return response

    def _grouped(self, endpoint: Callable[..., Response]) -> Callable[..., Any]:
        """Return the same for an endpoint that joins a group commit."""
        group_commit = self._app.state.group_commit.run

        @wraps(endpoint)
        async def grouped(*, product: str, **arguments: Any) -> Response:
            response: Response
            action = partial(endpoint, product=product, **arguments)
            response, cursor = await group_commit(action, product=product)
            response.headers[CURSOR] = str(cursor)
            return response

        return grouped


class OperationRoute(Route):
    """Calls an endpoint with its path and its parts of the request; a synchronous one in a thread.

    Attributes:
        method: the operation's method in the OpenAPI document, which leaves out HEAD.
        operation: the OpenAPI object, without what the whole document adds.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, method: str, operation: dict[str, Any]
    ) -> None:
        super().__init__(path, endpoint, methods=[method])
        self._parts = _parts_of(endpoint)
        described: dict[str, Any] = {}
        for each in self._parts.values():
            described.update(each.openapi())
        self.method = method
        self.operation = {**operation, **described}
        self._takes_query, self._takes_body = "parameters" in described, "requestBody" in described
        is_synchronous = not inspect.iscoroutinefunction(endpoint)
        self._call = partial(run_in_threadpool, endpoint) if is_synchronous else endpoint
        self.app = self._answer
        end = path.rpartition("}")[2]
        # The end of a pattern also matches before a line feed.
        self._ends = (end, f"{end}\n")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a request; the end of the path rules out most routes without a pattern."""
        if scope["path"].endswith(self._ends):
            return super().matches(scope)
        return Match.NONE, {}

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if not self._takes_query and scope["query_string"]:
            await NO_QUERY(request)
        if not self._takes_body:
            await refuse_body(request)
        arguments = {name: await read(request) for name, read in self._parts.items()}
        response: Response = await self._call(**request.path_params, **arguments)
        await response(scope, receive, send)


class _WholeRequest:
    """Passes the request itself to an endpoint."""

    async def __call__(self, request: Request) -> Request:
        return request

    def openapi(self) -> dict[str, Any]:
        return {}


def _parts_of(endpoint: Callable[..., Any]) -> Mapping[str, RequestPart]:
    """Return how an endpoint's arguments are read, by the names of its parameters."""
    parts: dict[str, RequestPart] = {}
    for name, parameter in inspect.signature(endpoint).parameters.items():
        if parameter.annotation is Request:
            parts[name] = _WholeRequest()
        for each in get_args(parameter.annotation):
            if isinstance(each, RequestPart):
                parts[name] = each
    return parts


_CURSOR_HEADER = {
    "description": "Cursor from before this write: all changes that it makes come after it.",
    "schema": cursor("Cursor of the journal."),
}
_LIST_CURSOR_HEADER = {
    "description": "Cursor from before this list was read: all changes that it does not have come "
    "after it, so that the stream continues from here.",
    "schema": cursor("Cursor of the journal."),
}


def _responses(
    status: int,
    returns: Schema | None,
    errors: tuple[HTTPStatus, ...],
    headers: Schema,
    *,
    media_type: str,
) -> dict[str, dict[str, Any]]:
    """Return an operation's responses for the OpenAPI document."""
    success: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": dict(headers)}
    if returns is not None:
        success["content"] = {media_type: {"schema": dict(returns)}}
    failures = {str(each.value): problems.reference(each) for each in sorted(errors)}
    return {str(status): success, **failures}


def _summary_and_description(endpoint: Callable[..., Any]) -> dict[str, str]:
    summary, _, rest = inspect.cleandoc(endpoint.__doc__ or "").partition("\n\n")
    return {
        "summary": " ".join(summary.split()).removesuffix("."),
        "description": " ".join((rest or summary).split()),
    }


#: Characters that a program's names cannot have.
_TO_UNDERSCORES = str.maketrans("-.", "__")


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}").translate(_TO_UNDERSCORES) for word in path.split("/") if word]
    return "_".join([method.lower(), *words])
