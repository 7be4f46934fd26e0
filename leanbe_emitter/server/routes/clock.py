"""The clock: a manual clock holds back retries until a client moves it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.clock import RANGE
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import ClockTarget, Instant
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.instants import parse_given_instant, print_instant

#: Longest move of a clock, in seconds: ten years.
_MAX_SECONDS = 315_360_000


class ClockTime(StrictModel):
    """The time to set."""

    now: Instant


class ClockMove(StrictModel):
    """The time by which the clock moves forward, or to which."""

    seconds: float | None = Field(
        default=None,
        ge=0.001,
        le=_MAX_SECONDS,
        description="In seconds; at least a millisecond.",
        examples=[3600],
    )
    to: ClockTarget | None = Field(
        default=None, description="Instead of `seconds`: an instant, or `next` for the next retry."
    )

    def end(self) -> datetime | Literal["next"] | None:
        """Return the instant to which the clock moves; None: the move has a distance.

        Raises:
            InvalidValue: the move has both or neither, or the text is no instant.
        """
        if (self.seconds is None) == (self.to is None):
            raise InvalidValue(
                "A move takes either seconds or to.", hint='Give {"seconds": 5} or {"to": "next"}.'
            )
        if self.to is None or self.to == "next":
            return None if self.to is None else "next"
        return parse_given_instant(self.to, within=RANGE)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on the clock."""
    routes = Routes(app, leanbe, "Clock")

    @routes.read("/clock", returns=setup.CLOCK_WITH_NEXT)
    def show() -> Response:
        """Show the time and the kind of the clock: the machine's, or a manual one.

        `next` says when the next retry falls due, and how many do then.
        """
        return _time(leanbe)

    @routes.write("PUT", "/clock", returns=setup.CLOCK_WITH_NEXT)
    def set_(body: Annotated[ClockTime, ModelBody(ClockTime)]) -> Response:
        """Set a manual clock, forward or backward; workers send at once what is due then.

        The clock is manual if a server was started on the database with `--clock manual`. The
        machine's clock cannot be set (409). The time has to be in the years 1971 to 2105, in UTC.
        """
        leanbe.clock.set(parse_given_instant(body.now, within=RANGE))
        return _time(leanbe)

    @routes.write("POST", "/clock/advance", returns=deliveries.ADVANCED)
    def advance(body: Annotated[ClockMove, ModelBody(ClockMove)]) -> Response:
        """Move a manual clock forward, and make each retry that becomes due at its own time.

        `to` moves it to an instant, or to the `next` retry; without one, that is a conflict (409).

        The response has the attempts of all processes meanwhile, in the order of their ends.
        Deliveries that are due already come first. The server's worker attempts several
        deliveries of one instant at once, unless the product's `ordering` is `strict`. The
        operation waits for deliveries that other processes have in flight: 408 after a minute.
        Concurrent moves add up: each client moves the clock by its own time, and `now` is the time
        of the response.
        """
        since = leanbe.journal.wait_cursor()
        leanbe.clock.advance(seconds=body.seconds or 0, to=body.end())
        return _advanced(leanbe, since)

    @routes.write("POST", "/clock/run-until-settled", returns=deliveries.ADVANCED)
    def run_until_settled() -> Response:
        """Move a manual clock forward until no delivery is pending, and make all attempts.

        The response is like that of `advance`.
        """
        since = leanbe.journal.wait_cursor()
        leanbe.clock.run_until_settled()
        return _advanced(leanbe, since)


def _time(leanbe: Leanbe) -> Response:
    coming = leanbe.clock.next()
    return responses.one(
        {
            "kind": leanbe.clock.kind,
            "now": print_instant(leanbe.clock.now()),
            "next": None if coming is None else coming.document(),
        }
    )


def _advanced(leanbe: Leanbe, since: Cursor) -> Response:
    made = [each.made() for each in leanbe.journal.read_all(since)]
    return responses.one(
        {
            "now": print_instant(leanbe.clock.now()),
            "attempts": [each for each in made if each is not None],
        }
    )
