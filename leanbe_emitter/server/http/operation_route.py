"""The route class of operations: it calls an endpoint with its path and its own dependencies.

FastAPI describes the endpoints in the OpenAPI document. Its own call of an endpoint would solve a
general tree of dependencies for each request, which costs more than all other steps of a request.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, get_args

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.params import Depends
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from leanbe_emitter.server.http.query_parameters import refuse_query
from leanbe_emitter.server.http.request_body import refuse_body

Endpoint: TypeAlias = Callable[..., Any]
#: Dependencies by the endpoint's parameters; each reads a part of the request.
Dependencies: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Request], Awaitable[None]]


class OperationRoute(APIRoute):
    """Route of one operation; a synchronous endpoint runs in a thread.

    FastAPI's own handler opens an exit stack for dependencies with ``yield``: there is none here.
    """

    def __init__(self, path: str, endpoint: Endpoint, **description: Any) -> None:
        super().__init__(path, endpoint, **description)
        self.app = partial(_handle, self.get_route_handler())
        end = path.rpartition("}")[2]
        # The end of a pattern also matches before a line feed.
        self._ends = (end, f"{end}\n")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a request; the end of the path rules out most routes without a pattern."""
        if scope["path"].endswith(self._ends):
            return super().matches(scope)
        return Match.NONE, {}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that handles a request of this route."""
        endpoint = self.endpoint
        is_synchronous = not inspect.iscoroutinefunction(endpoint)
        call = partial(run_in_threadpool, endpoint) if is_synchronous else endpoint
        whole_requests = {
            name: _whole_request
            for name, parameter in inspect.signature(endpoint).parameters.items()
            if parameter.annotation is Request
        }
        dependencies = dependencies_of(endpoint)
        checks = list(_checks(dependencies))
        return partial(_call_endpoint, call, {**dependencies, **whole_requests}, checks)


def dependencies_of(endpoint: Endpoint) -> Dependencies:
    """Return an endpoint's dependencies by the names of its parameters."""
    return {
        name: each.dependency
        for name, parameter in inspect.signature(endpoint).parameters.items()
        for each in get_args(parameter.annotation)
        if isinstance(each, Depends)
    }


def _checks(dependencies: Dependencies) -> Iterator[Check]:
    """Yield the checks that refuse a query or a body if the endpoint takes none."""
    described = {member for each in dependencies.values() for member in each.openapi()}
    if "parameters" not in described:
        yield refuse_query
    if "requestBody" not in described:
        yield refuse_body


async def _handle(
    handler: Callable[[Request], Awaitable[Response]], scope: Scope, receive: Receive, send: Send
) -> None:
    response = await handler(Request(scope, receive, send))
    await response(scope, receive, send)


async def _call_endpoint(
    call: Endpoint, dependencies: Dependencies, checks: Sequence[Check], request: Request
) -> Response:
    for check in checks:
        await check(request)
    arguments = {name: await read(request) for name, read in dependencies.items()}
    response: Response = await call(**request.path_params, **arguments)
    return response


async def _whole_request(request: Request) -> Request:
    return request
