"""Waiting for deliveries: a request that holds no thread, and is answered as soon as they came."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import WaitTimedOut
from leanbe_emitter.hints import LIST_DELIVERIES
from leanbe_emitter.library import Delivery, Filter, Leanbe
from leanbe_emitter.server.http import problems, responses
from leanbe_emitter.server.http.field_types import WHOLE, EventGlob, Status
from leanbe_emitter.server.http.field_types import Cursor as GivenCursor
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import TIMED_OUT, WRITING, Routes
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.strict_model import StrictModel

#: How long a wait lasts unless it is told otherwise, and how long at the most, in seconds.
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 30.0, 3600.0

#: Answers with which a receiver says that something is wrong with the request.
_REFUSALS: Final = range(400, 500)
_OWED: Final = f"{LIST_DELIVERIES.request} shows what is owed."


class Awaited(StrictModel):
    """What is waited for; without a filter: that nothing is due or in flight."""

    event: EventGlob | None = Field(
        default=None, description="An event name, or a glob.", examples=["idea.*"]
    )
    product: str | None = Field(default=None, description="Name or id of a product.")
    status: Status | None = Field(default=None, description="Left out: any but pending.")
    count: Annotated[int, Field(ge=1, le=1000), WHOLE] | None = Field(
        default=None, description="How many; 1 by default."
    )
    after: GivenCursor | None = Field(
        default=None,
        description="A cursor: only what was recorded, attempted or settled behind it counts.",
    )
    timeout: float = Field(
        default=WAIT_SECONDS,
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="In seconds.",
        examples=[10],
    )

    @property
    def is_for_rest(self) -> bool:
        """Whether it names no deliveries, so that all of them are waited for."""
        return not self.model_fields_set - {"timeout", "after"}


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operation that waits."""
    routes = Routes(app, leanbe, "Deliveries")
    news = app.state.news

    @routes.add("POST", "/deliveries/wait", gives=deliveries.CAUGHT, refuses=(*WRITING, TIMED_OUT))
    async def wait(
        request: Request, given: Annotated[Awaited, Depends(Body(Awaited, is_required=False))]
    ) -> Response:
        """Wait until deliveries match, whoever makes the attempts; answers with the newest, first.

        Those that were there before count, too, unless there is a cursor. Without event, product,
        status and count it waits until nothing is due or in flight, and answers with all that came
        behind the cursor, accepted or not: every first attempt was made then. When the time is
        over, the problem has in `items` what did arrive.
        """
        hunt = await run_in_threadpool(WaitingRequest, leanbe, given)
        deadline = stopwatch() + given.timeout
        async with news.listening() as ear:
            while not await run_in_threadpool(hunt.look):
                left = deadline - stopwatch()
                if news.is_over:
                    raise problems.NotReady("The server stops.", hint="Ask the next one.")
                if left <= 0:
                    return await run_in_threadpool(hunt.in_vain)
                if await request.is_disconnected():
                    return responses.nothing()  # nobody is there who would read it
                await ear.wait(left)
        return hunt.caught()


class WaitingRequest:
    """What one request waits for.

    Raises:
        InvalidValue: ``after`` is no cursor, or none of this database's.
    """

    def __init__(self, leanbe: Leanbe, given: Awaited) -> None:
        self._leanbe = leanbe
        self._timeout = given.timeout
        self._which = Filter(status=given.status, event=given.event, product=given.product)
        self._after = None if given.after is None else Cursor.parse(given.after)
        if self._after is not None:
            leanbe.watching.require_reached(self._after)
        self._lookout = leanbe.deliveries.delivery_wait(
            self._which, count=given.count or 1, after=self._after
        )
        self._is_for_rest = given.is_for_rest
        self._cursor = ""

    def look(self) -> bool:
        """Say whether it is over."""
        self._cursor = str(self._leanbe.watching.end())
        return self._leanbe.is_idle() if self._is_for_rest else self._lookout.look()

    def caught(self) -> Response:
        """Answer with what came, and a cursor from before that look."""
        return responses.page(self._came(), cursor=self._cursor)

    def in_vain(self) -> Response:
        """Answer that the time is over, with what did come."""
        why = "deliveries are still due or in flight" if self._is_for_rest else str(self._lookout)
        return problems.problem(
            WaitTimedOut(f"After {self._timeout:g} s {why}.", hint=self._hint()),
            items=[each.document() for each in self._came()],
            cursor=self._cursor,
        )

    def _hint(self) -> str:
        pending_reason = self._leanbe.deliveries.pending_reason(self._which)
        words, delivery = pending_reason.words.request, pending_reason.delivery
        if delivery is None:
            return f"{words} {_OWED}"
        if delivery.attempts and delivery.attempts[-1].answer_status in _REFUSALS:
            explain = f"POST /api/v1/deliveries/{delivery.id}/explain"
            return f"{words} {explain} names a mistake with the signature."
        return words

    def _came(self) -> Sequence[Delivery]:
        if not self._is_for_rest:
            return self._lookout.found
        return () if self._after is None else self._leanbe.deliveries.behind(self._after)
