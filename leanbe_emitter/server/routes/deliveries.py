"""Deliveries: list and show them, redeliver old events, discard pending ones."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Filter, Job, Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.compression import compressed
from leanbe_emitter.server.http.query_parameters import (
    EVENT_FILTERS,
    MAX_LIMIT,
    PAGING,
    Query,
    QueryParameter,
    check_page_limit,
    choice_parameter,
    paging,
)
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.responses import PAGE_BYTES
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import Age, EventGlob, Since, Status
from leanbe_emitter.server.schemas.json_schema import SINCE
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.instants import parse_since

#: Most rows of a page.
MOST_ROWS: Final = 500

_LIST: Final = Query(
    choice_parameter(
        "view", ["rows"], "Form of the items: `rows` are short; by default they are whole."
    ),
    QueryParameter(name="status", schema=deliveries.STATUS),
    *EVENT_FILTERS,
    QueryParameter(name="since", schema=SINCE),
    *paging(most=MOST_ROWS, meaning=f"Maximum number of items; more than {MAX_LIMIT} for rows."),
)
_PAGE: Final = Query(*PAGING)


class DeliverySelection(StrictModel):
    """Deliveries, selected by id or by a filter."""

    ids: list[str] = Field(default=[], description="Ids, or the first or last six digits of ids.")
    status: Status | None = Field(
        default=None, description="Status of the deliveries.", examples=["pending"]
    )
    event: EventGlob | None = Field(
        default=None, description="An event name, or a glob.", examples=["idea.*"]
    )
    product: str | None = Field(default=None, description="Name or id of a product.")


class Redelivery(DeliverySelection):
    """Deliveries whose events are delivered again."""

    since: Since | None = Field(
        default=None, description="Greatest age of the events: `10m`, or an instant."
    )
    job: str | None = Field(
        default=None,
        description="Name of the job. A job that runs again under its name continues where it was "
        "interrupted, and delivers no event twice.",
    )


class Discard(DeliverySelection):
    """Deliveries to discard."""

    older_than: Age | None = Field(
        default=None, description="Least age of the deliveries.", examples=["1h"]
    )


def add_routes(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on deliveries."""
    routes = Routes(app, leanbe, "Deliveries")

    @routes.read_list("/deliveries", returns=deliveries.LIST)
    def list_(request: Request, query: Annotated[dict[str, Any], Depends(_LIST)]) -> Response:
        """List deliveries with all their attempts, the newest first.

        With `view=rows`, each item has what a line of a list shows: the delivery, what its event is
        about, and its last attempt. The server compresses rows for clients that accept gzip.
        """
        after, limit, view = query.pop("after", None), query.pop("limit"), query.pop("view", None)
        since = _since(leanbe, query.pop("since", None))
        which = Filter(**query, since=since)
        if view is None:
            check_page_limit(limit)
            page = leanbe.deliveries.list(which, limit=limit, after=after, max_bytes=PAGE_BYTES)
            return responses.page(page, cursor=page.cursor)
        rows = leanbe.deliveries.rows(which, limit=limit, after=after)
        return compressed(responses.page_in_one(rows, cursor=rows.cursor), request)

    @routes.read("/deliveries/{reference}", returns=deliveries.DELIVERY)
    def show(reference: str) -> Response:
        """Show one delivery with all its attempts."""
        return responses.one(leanbe.deliveries.get(reference))

    @routes.add("GET", "/deliveries/{reference}/curl", returns=deliveries.CURL, errors=WRITING)
    def curl(reference: str) -> Response:
        """Show the last request of a delivery, or its next one, as a `curl` command.

        The body is exact. Values of the product's own headers are masked.
        """
        return responses.one({"command": leanbe.deliveries.get(reference).curl(masks=True)})

    @routes.read("/deliveries/{reference}/signed", returns=deliveries.SIGNED)
    def signed(reference: str) -> Response:
        """Show the text that was signed for a delivery: what a receiver has to hash, in UTF-8."""
        return responses.one({"text": leanbe.deliveries.get(reference).signed_text()})

    @routes.write(
        "POST", "/deliveries/{reference}/redeliver", returns=deliveries.DELIVERY, status=201
    )
    def redeliver(reference: str) -> Response:
        """Deliver an old event again: the same bytes, to the product's present URL.

        The response has the new delivery.
        """
        (new,) = leanbe.deliveries.redeliver(reference, deliver=False)
        return responses.one(new, status=201)

    @routes.write("POST", "/deliveries/redeliver", returns=deliveries.REDELIVERED)
    def redeliver_many(body: Annotated[Redelivery, Depends(ModelBody(Redelivery))]) -> Response:
        """Deliver many old events again, each once, as a job.

        A job keeps its filter. To run it again with another filter is a conflict (409); another
        age is none.
        """
        job = _job(leanbe, body)
        done = leanbe.deliveries.redeliver(job, deliver=False)
        return responses.one({"job": job.name, "made": done.made, "withoutUrl": done.without_url})

    @routes.add(
        "POST",
        "/deliveries/redeliver/dry-run",
        returns=setup.page(deliveries.DELIVERY),
        errors=WRITING,
    )
    def dry_run(
        body: Annotated[Redelivery, Depends(ModelBody(Redelivery, query=PAGING))],
        query: Annotated[dict[str, Any], Depends(_PAGE)],
    ) -> Response:
        """List the deliveries whose events `redeliver` would deliver again, the oldest first.

        The server stores nothing. Deliveries of products without a URL are left out.
        """
        page = leanbe.deliveries.redeliver_dry_run(_job(leanbe, body), **query)
        return responses.page(page, cursor=page.cursor)

    @routes.write("POST", "/deliveries/discard", returns=setup.page(deliveries.DELIVERY))
    def discard(body: Annotated[Discard, Depends(ModelBody(Discard))]) -> Response:
        """Discard pending deliveries; settled deliveries and those in flight stay unchanged.

        The response has the discarded deliveries. If the body names a delivery that stays, the
        answer is a conflict (409).
        """
        before = _instant_at_age(leanbe, body.older_than)
        return responses.page(
            leanbe.deliveries.discard(body.ids, which=_filter(body, before=before))
        )


def _job(leanbe: Leanbe, body: Redelivery) -> Job:
    """Return the job: with the name in the body, or with a new name."""
    return Job(
        name=body.job or leanbe.new_job_name(),
        references=body.ids,
        which=_filter(body, since=_since(leanbe, body.since)),
    )


def _filter(
    body: DeliverySelection, *, since: datetime | None = None, before: datetime | None = None
) -> Filter | None:
    """Return the filter, or None if the body has ids.

    Raises:
        InvalidValue: the body has both or neither.
    """
    which = Filter(
        status=body.status, event=body.event, product=body.product, since=since, before=before
    )
    has_filter = which != Filter()
    if has_filter and body.ids:
        raise InvalidValue(
            "The body has both ids and a filter.",
            hint="Leave out the ids, or status, event, product and age.",
        )
    if not has_filter and not body.ids:
        raise InvalidValue(
            "The body selects no deliveries: it has neither ids nor a filter.",
            hint='Give {"ids": [...]}, or one of status, event, product and age.',
        )
    return which if has_filter else None


def _since(leanbe: Leanbe, text: str | None) -> datetime | None:
    """Return the instant that a text has, or the instant at that age."""
    if text is None:
        return None
    # In a query, the plus of an instant's offset from UTC is a space if it is not encoded.
    since = parse_since(re.sub(" (?=[0-9]{2}:[0-9]{2}$)", "+", text))
    return since if isinstance(since, datetime) else _before_now(leanbe, text, since)


def _instant_at_age(leanbe: Leanbe, text: str | None) -> datetime | None:
    return None if text is None else _before_now(leanbe, text, parse_duration(text))


def _before_now(leanbe: Leanbe, text: str, seconds: float) -> datetime:
    try:
        return leanbe.clock.now() - timedelta(seconds=seconds)
    except OverflowError:
        raise InvalidValue(f"{text!r} ago is before all time.", hint="Such as 30d.") from None
