"""How operations are called: with the parts of their path, and with what they ask of a request.

FastAPI tells of them in the API's document by what they take. At each request it would look for all
else that an operation might take, which costs more than the rest of the way to it.
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

from leanbe_emitter.server.http.parsing import no_body, no_query

Operation: TypeAlias = Callable[..., Any]
#: What reads something of a request, by what an operation calls it.
Readings: TypeAlias = Mapping[str, Any]
Refusal: TypeAlias = Callable[[Request], Awaitable[None]]


class OperationRoute(APIRoute):
    """The way from a request to an operation; a plain function is called on a thread.

    FastAPI's own way opens and closes what its dependencies may have left open: there is nothing.
    """

    def __init__(self, path: str, endpoint: Operation, **described: Any) -> None:
        super().__init__(path, endpoint, **described)
        self.app = partial(_exchange, self.get_route_handler())
        end = path.rpartition("}")[2]
        # A pattern's end also stands before a line's.
        self._ends = (end, f"{end}\n")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is this operation's; of most, the end of the path tells already."""
        if scope["path"].endswith(self._ends):
            return super().matches(scope)
        return Match.NONE, {}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request that has come to this path."""
        operation = self.endpoint
        is_plain = not inspect.iscoroutinefunction(operation)
        call = partial(run_in_threadpool, operation) if is_plain else operation
        whole = {
            name: _whole
            for name, parameter in inspect.signature(operation).parameters.items()
            if parameter.annotation is Request
        }
        readings = readings_of(operation)
        return partial(_answer, call, {**readings, **whole}, list(_refusals(readings)))


def readings_of(operation: Operation) -> Readings:
    """Return what reads what an operation asks of a request besides the parts of its path."""
    return {
        name: each.dependency
        for name, parameter in inspect.signature(operation).parameters.items()
        for each in get_args(parameter.annotation)
        if isinstance(each, Depends)
    }


def _refusals(readings: Readings) -> Iterator[Refusal]:
    """Yield what refuses a query and a body where an operation describes none."""
    described = {member for reading in readings.values() for member in reading.described()}
    if "parameters" not in described:
        yield no_query
    if "requestBody" not in described:
        yield no_body


async def _exchange(
    handle: Callable[[Request], Awaitable[Response]], scope: Scope, receive: Receive, send: Send
) -> None:
    answer = await handle(Request(scope, receive, send))
    await answer(scope, receive, send)


async def _answer(
    call: Operation, readings: Readings, refusals: Sequence[Refusal], request: Request
) -> Response:
    for refuse in refusals:
        await refuse(request)
    given = {name: await read(request) for name, read in readings.items()}
    answer: Response = await call(**request.path_params, **given)
    return answer


async def _whole(request: Request) -> Request:
    return request
