"""Waiting for deliveries: a request that waits holds no thread."""

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

from pydantic import Field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import WaitTimedOut
from leanbe_emitter.hints import LIST_DELIVERIES
from leanbe_emitter.library import Delivery, Filter, Leanbe
from leanbe_emitter.server.http import problems, responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.server.schemas.field_types import INTEGER, EventGlob, Status
from leanbe_emitter.server.schemas.field_types import Cursor as CursorText
from leanbe_emitter.storage.queries.journal import START, Cursor
from leanbe_emitter.strict_model import StrictModel

#: Length of a wait by default, and at most, in seconds.
DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS = 30.0, 3600.0

#: Most deliveries of a response.
MAX_ITEMS: Final = 200
#: Answers by which a receiver refuses a request for a fault in it.
_CLIENT_ERRORS: Final = range(400, 500)
_LIST_HINT: Final = f"{LIST_DELIVERIES.request} shows what is pending."


class WaitCriteria(StrictModel):
    """Deliveries to wait for; without a filter, the wait is until nothing is due or in flight."""

    event: EventGlob | None = Field(
        default=None, description="Event name, or a glob.", examples=["idea.*"]
    )
    product: str | None = Field(default=None, description="Name or id of the product.")
    status: Status | None = Field(
        default=None, description="Status of the deliveries; by default, any but `pending`."
    )
    count: Annotated[int, Field(ge=1, le=1000), INTEGER] | None = Field(
        default=None, description="Number of deliveries; by default 1."
    )
    after: CursorText | None = Field(
        default=None,
        description="Cursor: only deliveries that were recorded, attempted or settled after it "
        "count.",
    )
    timeout: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS,
        ge=0,
        le=MAX_TIMEOUT_SECONDS,
        description="Longest wait, in seconds.",
        examples=[10],
    )

    @property
    def is_for_idle(self) -> bool:
        """Whether there is no filter, so that the wait is until nothing is due or in flight."""
        return not self.model_fields_set - {"timeout", "after"}


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operation that waits."""
    routes = Routes(app, leanbe, "Deliveries")
    notifier = app.state.change_notifier

    @routes.add("POST", "/deliveries/wait", returns=deliveries.WAIT_RESULT, errors=WRITING)
    async def wait(
        request: Request, body: Annotated[WaitCriteria, ModelBody(WaitCriteria, is_required=False)]
    ) -> Response:
        """Wait until deliveries match; the response has the newest first, and 200 at most.

        `more` says whether there are further ones. After a wait with a cursor alone, the next wait
        with the new cursor has them; `GET /api/v1/deliveries` has those that a filter selects.

        Deliveries from before the request count too, unless the body has a cursor. Without event,
        product, status and count, the wait is until nothing is due or in flight, and the response
        has all deliveries after the cursor, accepted or not; each was attempted once at least.
        After the timeout, the problem has the deliveries so far in `items`.
        """
        waiting = await run_in_threadpool(WaitingRequest, leanbe, body)
        deadline = stopwatch() + body.timeout
        async with notifier.listener() as listener:
            while not await run_in_threadpool(waiting.is_over):
                left = deadline - stopwatch()
                if notifier.is_stopped:
                    raise problems.NotReady(
                        "The server stops.", hint="Send the request to the next server."
                    )
                if left <= 0:
                    return await run_in_threadpool(waiting.timed_out)
                if await request.is_disconnected():
                    return responses.no_content()  # the client is gone
                await listener.wait(left)
        return await run_in_threadpool(waiting.succeeded)


class WaitingRequest:
    """The state of one request that waits.

    Raises:
        InvalidValue: ``after`` is no cursor, or not one of this database.
    """

    def __init__(self, leanbe: Leanbe, criteria: WaitCriteria) -> None:
        self._leanbe = leanbe
        self._timeout = criteria.timeout
        self._filter = Filter(
            status=criteria.status, event=criteria.event, product=criteria.product
        )
        self._after = None if criteria.after is None else Cursor.parse(criteria.after)
        if self._after is not None:
            leanbe.journal.require_reached(self._after)
        self._wait = leanbe.deliveries.delivery_wait(
            self._filter, count=criteria.count or 1, after=self._after
        )
        self._is_for_idle = criteria.is_for_idle
        self._cursor = START

    def is_over(self) -> bool:
        """Look at the database, and return whether the wait is over."""
        self._cursor = self._leanbe.journal.follow_cursor()
        return self._leanbe.is_idle() if self._is_for_idle else self._wait.look()

    def succeeded(self) -> Response:
        """Return the response with the deliveries, and a cursor from before the last look."""
        found = self._found()
        return responses.page(found.deliveries, cursor=found.cursor, more={"more": found.is_more})

    def timed_out(self) -> Response:
        """Return the problem after the timeout, with the deliveries so far."""
        state = "deliveries are still due or in flight" if self._is_for_idle else str(self._wait)
        found = self._found()
        return problems.problem(
            WaitTimedOut(f"After {self._timeout:g} s {state}.", hint=self._hint()),
            items=[each.document() for each in found.deliveries],
            cursor=found.cursor,
            more=found.is_more,
        )

    def _hint(self) -> str:
        pending_reason = self._leanbe.deliveries.pending_reason(self._filter)
        words, delivery = pending_reason.words.request, pending_reason.delivery
        if delivery is None:
            return f"{words} {_LIST_HINT}"
        if delivery.attempts and delivery.attempts[-1].answer_status in _CLIENT_ERRORS:
            explain = f"POST /api/v1/deliveries/{delivery.id}/explain"
            return f"{words} {explain} names a mistake with the signature."
        return words

    def _found(self) -> "_Found":
        if not self._is_for_idle:
            ids = self._wait.found
            found = self._leanbe.deliveries.of(ids[:MAX_ITEMS], max_bytes=responses.PAGE_BYTES)
            return _Found(found, self._cursor, is_more=len(found) < len(ids))
        if self._after is None:
            return _Found((), self._cursor, is_more=False)
        behind = self._leanbe.deliveries.behind(
            self._after, limit=MAX_ITEMS, max_bytes=responses.PAGE_BYTES
        )
        # The cursor of the last look is the later one, unless an open transaction holds it back.
        end = self._cursor if behind.end is None else min(behind.end, self._cursor)
        return _Found(behind, end, is_more=behind.end is not None)


class _Found(NamedTuple):
    """Deliveries of a response, the cursor to continue from, and whether there are more."""

    deliveries: Sequence[Delivery]
    at: Cursor
    is_more: bool

    @property
    def cursor(self) -> str:
        """The cursor's text."""
        return str(self.at)
