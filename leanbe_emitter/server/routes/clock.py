"""The clock: a manual one holds back retries, until somebody moves it."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.clock import RANGE
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Instant
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import TIMED_OUT, WRITING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.instants import parse_given_instant, print_instant

#: How far a clock is moved at once, in seconds: ten years.
_FURTHEST = 315_360_000


class Now(StrictModel):
    """What time it is to be."""

    now: Instant


class ClockMove(StrictModel):
    """How far the clock is to be moved on."""

    seconds: float = Field(
        ge=0.001, le=_FURTHEST, description="A thousandth at least.", examples=[3600]
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on the clock."""
    routes = Routes(app, leanbe, "Clock")
    waiting = (*WRITING, TIMED_OUT)

    @routes.read("/clock", gives=setup.CLOCK)
    def show() -> Response:
        """Show the time, and whose it is: the machine's, or that of a manual clock."""
        return _time(leanbe)

    @routes.write("PUT", "/clock", gives=setup.CLOCK)
    def set_(given: Annotated[Now, Depends(Body(Now))]) -> Response:
        """Set a manual clock, backwards too; what is due then, workers send at once.

        A clock is manual in a database that a server was started on with `--clock manual`, or
        `--ephemeral`; the machine's is not moved: 409. It is moved within the years 1971 to 8999,
        in UTC.
        """
        leanbe.clock.set(parse_given_instant(given.now, within=RANGE))
        return _time(leanbe)

    @routes.write("POST", "/clock/advance", gives=deliveries.ADVANCED, refuses=waiting)
    def advance(given: Annotated[ClockMove, Depends(Body(ClockMove))]) -> Response:
        """Move a manual clock on, and make every retry that falls due, at its own time.

        Answers with the attempts that were made meanwhile, whichever process made them, in the
        order in which they ended. What is due already is attempted first; of what falls due at one
        instant, the worker inside has several under way at once, unless the product's `ordering`
        is `strict`. A delivery that another process has in flight is waited for: 408 after a
        minute. Ways add up: whoever moves it at the same time moves it by all of theirs, too, and
        `now` is where it stands when this is answered.
        """
        since = leanbe.watching.beginning()
        leanbe.clock.advance(seconds=given.seconds)
        return _advanced(leanbe, since)

    @routes.write("POST", "/clock/run-until-settled", gives=deliveries.ADVANCED, refuses=waiting)
    def run_until_settled() -> Response:
        """Move a manual clock on until nothing is owed any more, and make every attempt on the way.

        Answers as `advance` does.
        """
        since = leanbe.watching.beginning()
        leanbe.clock.run_until_settled()
        return _advanced(leanbe, since)


def _time(leanbe: Leanbe) -> Response:
    return responses.one({"kind": leanbe.clock.kind, "now": print_instant(leanbe.clock.now())})


def _advanced(leanbe: Leanbe, since: Cursor) -> Response:
    made = [each.made() for each in leanbe.watching.until_now(since)]
    return responses.one(
        {
            "now": print_instant(leanbe.clock.now()),
            "attempts": [each for each in made if each is not None],
        }
    )
