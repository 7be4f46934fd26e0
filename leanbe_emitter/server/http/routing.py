"""How operations are added: what each of them has without saying so.

Operations are plain functions on threads, as the library is synchronous. One that writes answers
with a cursor from before it: all that it brings about comes behind that.

An operation calls the library and answers with what that returned; documents go out as their texts.
A request that waits holds no thread.
"""

import functools
import inspect
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import problems, responses
from leanbe_emitter.server.http.operations import OperationRoute, readings_of
from leanbe_emitter.server.schemas.json_schema import Schema, cursor

#: What all paths of the API begin with.
PREFIX = "/api/v1"
#: The header that says where to go on from, for whoever waits or follows.
CURSOR = "Leanbe-Emitter-Cursor"

#: What may go wrong anywhere, of health, where something is read, and where something is written.
ANYWHERE = (
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
HEALTH = (*ANYWHERE, HTTPStatus.SERVICE_UNAVAILABLE)
READING = (*HEALTH, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
WRITING = (*READING, HTTPStatus.CONFLICT)
#: What a wait may come to as well.
TIMED_OUT = HTTPStatus.REQUEST_TIMEOUT

Operation = TypeVar("Operation", bound=Callable[..., Any])


class Routes:
    """The operations of one part of the API.

    Args:
        app: where they are added.
        leanbe: what they act on.
        part: what it is called in the API's document.
        locks_others: whether what acts on a product's documents may lock other products, too.
    """

    def __init__(
        self, app: FastAPI, leanbe: Leanbe, part: str, *, locks_others: bool = False
    ) -> None:
        self._app = app
        self._leanbe = leanbe
        self._part = part
        self._locks_others = locks_others

    def read(self, path: str, *, gives: Schema) -> Callable[[Operation], Operation]:
        """Add an operation that only looks: GET.

        Args:
            path: behind ``PREFIX``.
            gives: the schema of what it answers with.
        """
        return self.add("GET", path, gives=gives, refuses=READING)

    def write(
        self,
        method: str,
        path: str,
        *,
        gives: Schema | None,
        status: int = 200,
        refuses: tuple[HTTPStatus, ...] = WRITING,
    ) -> Callable[[Operation], Operation]:
        """Add an operation that changes something; without ``gives``, it answers with nothing."""
        return self._writing(
            self._telling, method, path, gives=gives, status=status, refuses=refuses
        )

    def _writing(  # noqa: PLR0913 - what an operation is made of
        self,
        doing: Callable[[Callable[..., Response]], Callable[..., Any]],
        method: str,
        path: str,
        *,
        gives: Schema | None,
        status: int,
        refuses: tuple[HTTPStatus, ...],
    ) -> Callable[[Operation], Operation]:
        def added(operation: Operation) -> Operation:
            self.add(
                method,
                path,
                gives=gives,
                refuses=refuses,
                status=204 if gives is None else status,
                headers={CURSOR: _CURSOR_HEADER},
            )(doing(operation))
            return operation

        return added

    def act(
        self, method: str, path: str, *, gives: Schema | None, status: int = 200
    ) -> Callable[[Operation], Operation]:
        """Add an operation that acts on a product's documents: done together with others.

        One that may lock other products, too, does so in the order of their ids: it comes too late
        for that in a transaction that has a lock already, unless nobody else can have one.
        """
        is_alone = self._locks_others and not self._leanbe.writes_alone
        doing = self._telling if is_alone else self._joining
        return self._writing(doing, method, path, gives=gives, status=status, refuses=WRITING)

    def add(  # noqa: PLR0913 - what an operation is made of
        self,
        method: str,
        path: str,
        *,
        gives: Schema | None,
        refuses: tuple[HTTPStatus, ...],
        status: int = 200,
        headers: Schema | None = None,
        prefix: str = PREFIX,
        media_type: str = responses.MEDIA_TYPE,
    ) -> Callable[[Operation], Operation]:
        """Add an operation; its docstring is what the API's document says of it."""

        def added(operation: Operation) -> Operation:
            summary, _, rest = inspect.cleandoc(operation.__doc__ or "").partition("\n\n")
            self._app.router.add_api_route(
                prefix + path,
                operation,
                route_class_override=OperationRoute,
                tags=[self._part],
                methods=[method],
                status_code=status,
                response_class=Response,
                response_model=None,
                summary=" ".join(summary.split()).removesuffix("."),
                description=" ".join((rest or summary).split()),
                operation_id=_operation_id(method, path),
                responses=_answers(status, gives, refuses, headers or {}, media_type=media_type),
                openapi_extra=_asks(operation),
            )
            return operation

        return added

    def _telling(self, operation: Callable[..., Response]) -> Callable[..., Any]:
        """Return the operation with a cursor in its answer, read before anything of it happened.

        Who waits for news hears of it at once.
        """
        committed = self._app.state.news.committed

        @functools.wraps(operation)
        async def told(**given: Any) -> Response:
            answer = await run_in_threadpool(self._with_cursor, operation, given)
            committed()
            return answer

        return told

    def _with_cursor(self, operation: Callable[..., Response], given: dict[str, Any]) -> Response:
        cursor = self._leanbe.journal.wait_cursor()
        answer = operation(**given)
        answer.headers[CURSOR] = str(cursor)
        return answer

    def _joining(self, operation: Callable[..., Response]) -> Callable[..., Any]:
        """Return the same for an operation that is done together with others."""
        do_together = self._app.state.together.do

        @functools.wraps(operation)
        async def told(*, product: str, **given: Any) -> Response:
            answer: Response
            act = functools.partial(operation, product=product, **given)
            answer, cursor = await do_together(act, product=product)
            answer.headers[CURSOR] = str(cursor)
            return answer

        return told


def take_heads(app: FastAPI) -> None:
    """Let whoever may look at something ask for its headers alone: HEAD, wherever GET is so far.

    Those routes stand behind all others, where they cost other requests nothing, and the API's
    document, which tells of GET, does not repeat them.
    """
    for route in [*app.routes]:
        if isinstance(route, OperationRoute) and route.methods == {"GET"}:
            app.router.add_route(
                route.path, route.get_route_handler(), methods=["HEAD"], include_in_schema=False
            )


_CURSOR_HEADER = {
    "description": "A cursor from before this: what it brought about comes behind it.",
    "schema": cursor("A cursor."),
}


def _answers(
    status: int,
    gives: Schema | None,
    refuses: tuple[HTTPStatus, ...],
    headers: Schema,
    *,
    media_type: str,
) -> dict[int | str, dict[str, Any]]:
    done: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": dict(headers)}
    if gives is not None:
        done["content"] = {media_type: {"schema": dict(gives)}}
    problem = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused: dict[int | str, dict[str, Any]] = {
        each.value: {"description": each.phrase, "content": problem} for each in sorted(refuses)
    }
    return {status: done, **refused}


def _asks(operation: Callable[..., Any]) -> dict[str, Any]:
    """Return what OpenAPI says of query and body, as the operation's dependencies know it."""
    said: dict[str, Any] = {}
    for reading in readings_of(operation).values():
        said.update(reading.described())
    return said


#: What programs cannot have in a name.
_WORDS = str.maketrans("-.", "__")


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}").translate(_WORDS) for word in path.split("/") if word]
    return "_".join([method.lower(), *words])
