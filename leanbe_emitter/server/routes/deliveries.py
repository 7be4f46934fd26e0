"""Deliveries: what is owed, and what came of it with all evidence."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Filter, Job, Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Age, EventGlob, Since, Status
from leanbe_emitter.server.http.parsing import NARROWING, PAGING, Body, Parameter, Queried
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.json_schema import SINCE
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.since import parse_since

_LIST: Final = Queried(
    Parameter(name="status", schema=deliveries.STATUS),
    *NARROWING,
    Parameter(name="since", schema=SINCE),
    *PAGING,
)
_PART: Final = Queried(*PAGING)


class Selection(StrictModel):
    """Deliveries that are meant: by id, or by what they have in common."""

    ids: list[str] = Field(default=[], description="By id, or six digits of either end of it.")
    status: Status | None = Field(
        default=None, description="What has become of them.", examples=["pending"]
    )
    event: EventGlob | None = Field(
        default=None, description="An event name, or a glob.", examples=["idea.*"]
    )
    product: str | None = Field(default=None, description="Name or id of a product.")


class Redelivery(Selection):
    """Which events are to be delivered again."""

    since: Since | None = Field(
        default=None, description="No older than this: `10m`, or an instant."
    )
    job: str | None = Field(
        default=None,
        description="A name: run again under it, a job goes on where it was interrupted, and "
        "delivers no event twice.",
    )


class Discarding(Selection):
    """Which deliveries are to be given up."""

    older_than: Age | None = Field(
        default=None, description="Made longer ago than this.", examples=["1h"]
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on deliveries."""
    routes = Routes(app, leanbe, "Deliveries")

    @routes.read("/deliveries", gives=setup.page(deliveries.DELIVERY))
    def list_(asked: Annotated[dict[str, Any], Depends(_LIST)]) -> Response:
        """List deliveries with all evidence, the newest first."""
        after, limit = asked.pop("after", None), asked.pop("limit")
        since = _since(leanbe, asked.pop("since", None))
        page = leanbe.deliveries.list(Filter(**asked, since=since), limit=limit, after=after)
        return responses.page(page, cursor=page.cursor)

    @routes.read("/deliveries/{reference}", gives=deliveries.DELIVERY)
    def show(reference: str) -> Response:
        """Show one delivery with every attempt of it, named by its id or a part of it."""
        return responses.one(leanbe.deliveries.get(reference))

    @routes.add("GET", "/deliveries/{reference}/curl", gives=deliveries.CURL, refuses=WRITING)
    def curl(reference: str) -> Response:
        """Show the request that was sent last, or the one that is to be sent, as a command.

        Its body is the exact one; the values of headers that the product set are masked.
        """
        return responses.one({"command": leanbe.deliveries.get(reference).curl(masks=True)})

    @routes.write(
        "POST", "/deliveries/{reference}/redeliver", gives=deliveries.DELIVERY, status=201
    )
    def redeliver(reference: str) -> Response:
        """Deliver an old event again: the same bytes, to the product's present URL.

        Answers with the new delivery.
        """
        (new,) = leanbe.redeliver([reference], deliver=False)
        return responses.one(leanbe.deliveries.get(new), status=201)

    @routes.write("POST", "/deliveries/redeliver", gives=deliveries.REDELIVERED)
    def redeliver_many(given: Annotated[Redelivery, Depends(Body(Redelivery))]) -> Response:
        """Deliver many old events again, each once, as a job.

        A job keeps to its filter: another one under its name is a conflict; another age is none.
        """
        job = _job(leanbe, given)
        done = leanbe.redeliver_all(job, deliver=False)
        return responses.one({"job": job.name, "made": done.made, "withoutUrl": done.without_url})

    @routes.add(
        "POST",
        "/deliveries/redeliver/dry-run",
        gives=setup.page(deliveries.DELIVERY),
        refuses=WRITING,
    )
    def dry_run(
        given: Annotated[Redelivery, Depends(Body(Redelivery, queried=PAGING))],
        asked: Annotated[dict[str, Any], Depends(_PART)],
    ) -> Response:
        """List the deliveries whose events `redeliver` would deliver again, the oldest first.

        Nothing is stored. Those whose product has no URL now are not among them.
        """
        page = leanbe.rehearse_redelivery(_job(leanbe, given), **asked)
        return responses.page(page, cursor=page.cursor)

    @routes.write("POST", "/deliveries/discard", gives=setup.page(deliveries.DELIVERY))
    def discard(given: Annotated[Discarding, Depends(Body(Discarding))]) -> Response:
        """Give up pending deliveries; what is settled already, or in flight, stays as it is.

        Answers with those that were given up. One that is named, and stays, is a conflict (409).
        """
        before = _ago(leanbe, given.older_than)
        return responses.page(
            leanbe.deliveries.discard(given.ids, which=_filter(given, before=before))
        )


def _job(leanbe: Leanbe, given: Redelivery) -> Job:
    """Return the job that was asked for: the one of that name, or a new one."""
    return Job(
        name=given.job or leanbe.new_job_name(),
        references=given.ids,
        which=_filter(given, since=_since(leanbe, given.since)),
    )


def _filter(
    given: Selection, *, since: datetime | None = None, before: datetime | None = None
) -> Filter | None:
    """Return the filter that was given, or None where deliveries were named.

    Raises:
        InvalidValue: both or neither were given.
    """
    which = Filter(
        status=given.status, event=given.event, product=given.product, since=since, before=before
    )
    has_filter = which != Filter()
    if has_filter and given.ids:
        raise InvalidValue(
            "Deliveries are named by id, and by a filter as well.",
            hint="An id says which already: leave out the ids, or what narrows others down.",
        )
    if not has_filter and not given.ids:
        raise InvalidValue(
            "Say which deliveries are meant: by id, or by a filter.",
            hint='Give {"ids": [...]}, or one of status, event, product and an age.',
        )
    return which if has_filter else None


def _since(leanbe: Leanbe, text: str | None) -> datetime | None:
    """Return the instant that a text names, or that so much time ago was."""
    if text is None:
        return None
    # In a query, a plus that is not encoded is a space: that of an instant's offset from UTC.
    since = parse_since(re.sub(" (?=[0-9]{2}:[0-9]{2}$)", "+", text))
    return since if isinstance(since, datetime) else _before_now(leanbe, text, since)


def _ago(leanbe: Leanbe, text: str | None) -> datetime | None:
    return None if text is None else _before_now(leanbe, text, parse_duration(text))


def _before_now(leanbe: Leanbe, text: str, seconds: float) -> datetime:
    try:
        return leanbe.clock.now() - timedelta(seconds=seconds)
    except OverflowError:
        raise InvalidValue(f"{text!r} ago is before all time.", hint="Such as 30d.") from None
