"""Deliveries: list, count and show them with their evidence; redeliver and discard them.

A query or a body selects deliveries by the same filters.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from leanbe_emitter.delivery.network.code_forms import CodeForm
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Filter, Job, Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.query_parameters import (
    EVENT_FILTERS,
    MAX_LIMIT,
    PAGING,
    Query,
    QueryParameter,
    check_page_limit,
    choice_parameter,
    integer_parameter,
    paging,
)
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import (
    About,
    Age,
    Answer,
    EventGlob,
    FaultFilter,
    JobName,
    Outcome,
    Since,
    Status,
    TextSearch,
)
from leanbe_emitter.server.schemas.json_schema import SINCE
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.instants import parse_since

#: Filters of a query.
_FILTERS: Final = (
    QueryParameter(name="status", schema=deliveries.STATUS),
    *EVENT_FILTERS,
    QueryParameter(name="since", schema=SINCE),
    QueryParameter(name="before", schema=deliveries.BEFORE),
    *(
        QueryParameter(name=name, schema=schema)
        for name, schema in deliveries.EVIDENCE_FILTERS.items()
    ),
)
#: Most rows of a page.
MOST_ROWS: Final = 500
_LIST: Final = Query(
    choice_parameter(
        "view", ["rows"], "Form of the items: `rows` are short; by default they are whole."
    ),
    *_FILTERS,
    *paging(most=MOST_ROWS, meaning=f"Maximum number of items; more than {MAX_LIMIT} for rows."),
)
_COUNT: Final = Query(*_FILTERS)
_PAGE: Final = Query(*PAGING)
_NUMBER: Final = integer_parameter(
    "attempt", "Number of the attempt; by default, the last one, or else the first to come."
)
_ATTEMPT: Final = Query(_NUMBER)
_CODE: Final = Query(
    choice_parameter("as", [*CodeForm], "Form of the code.", keyword="form", default=CodeForm.CURL),
    _NUMBER,
)


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
    before: Since | None = Field(
        default=None, description="Least age: `10m`, or an instant.", examples=["1h"]
    )
    q: TextSearch | None = None
    about: About | None = None
    outcome: Outcome | None = None
    answer: Answer | None = None
    fault: FaultFilter | None = None


class Redelivery(DeliverySelection):
    """Deliveries whose events are delivered again."""

    since: Since | None = Field(
        default=None, description="Greatest age of the events: `10m`, or an instant."
    )
    of_job: JobName | None = Field(
        default=None, description="Name of the job that made the old deliveries."
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
    job: JobName | None = Field(
        default=None, description="Name of the job that made the deliveries."
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on deliveries."""
    routes = Routes(app, leanbe, "Deliveries")
    _add_list(routes, leanbe)
    _add_evidence(routes, leanbe)
    _add_redeliver(routes, leanbe)
    _add_discard(routes, leanbe)


def _add_list(routes: Routes, leanbe: Leanbe) -> None:
    @routes.read_list("/deliveries", returns=deliveries.LIST)
    def list_(request: Request, query: Annotated[dict[str, Any], _LIST]) -> Response:
        """List deliveries with all their attempts, the newest first.

        With `view=rows`, each item has what a line of a list shows: the delivery, what its event is
        about, and its last attempt. The server compresses rows for clients that accept gzip.

        `q` and `about` look at the newest 10 000 deliveries. With one of them, the response has
        `searched`: 10000 if there are older deliveries, otherwise null.
        """
        after, limit, view = query.pop("after", None), query.pop("limit"), query.pop("view", None)
        which = _filter_of(leanbe, query)
        more = _searched(leanbe, which)
        if view is None:
            check_page_limit(limit)
            page = leanbe.deliveries.list(
                which, limit=limit, after=after, max_bytes=responses.PAGE_BYTES
            )
            return responses.page(page, cursor=page.cursor, more=more)
        rows = leanbe.deliveries.rows(which, limit=limit, after=after)
        return responses.compressed_page(rows, request, cursor=rows.cursor, more=more)

    @routes.read("/deliveries/count", returns=deliveries.COUNT)
    def count(query: Annotated[dict[str, Any], _COUNT]) -> Response:
        """Count deliveries, by status.

        Counting stops at 100 000 deliveries; then `more` is true.
        """
        which = _filter_of(leanbe, query)
        found = leanbe.deliveries.count(which)
        return responses.one({**found.document(), **_searched(leanbe, which)})


def _add_evidence(routes: Routes, leanbe: Leanbe) -> None:
    @routes.read("/deliveries/{reference}", returns=deliveries.DELIVERY)
    def show(reference: str) -> Response:
        """Show one delivery with all its attempts."""
        return responses.one(leanbe.deliveries.get(reference))

    @routes.add("GET", "/deliveries/{reference}/code", returns=deliveries.CODE, errors=WRITING)
    def code(reference: str, query: Annotated[dict[str, Any], _CODE]) -> Response:
        """Show a request of a delivery, or its next one, as code that sends the same bytes.

        `curl`: a shell command. `http`: the bytes with their head. `pytest`, `node`: a test.
        `command`: a command of leanbe-emitter. The body is exact. Values of the product's own
        headers are masked; `isMasked` says so.
        """
        delivery = leanbe.deliveries.get(reference)
        return responses.one(delivery.code(query["form"], attempt=query.get("attempt"), masks=True))

    @routes.read("/deliveries/{reference}/signature", returns=deliveries.SIGNATURE)
    def signature(reference: str, query: Annotated[dict[str, Any], _ATTEMPT]) -> Response:
        """Show how a request of a delivery was signed, step by step.

        `signedText` is what a receiver has to hash; null: the body is no envelope. `secret` says
        which secret of the webhook signed it: the `current` one, an `earlier` one, or an `other`.
        `verifies`: whether a check with the current secret succeeds.
        """
        delivery = leanbe.deliveries.get(reference)
        return responses.one(delivery.signature(attempt=query.get("attempt")))

    @routes.read("/deliveries/{reference}/signed", returns=deliveries.SIGNED)
    def signed(reference: str) -> Response:
        """Show the text that was signed for a delivery: what a receiver has to hash, in UTF-8."""
        return responses.one({"text": leanbe.deliveries.get(reference).signed_text()})


def _searched(leanbe: Leanbe, which: Filter) -> dict[str, int | None]:
    """Return the member that says how far a filter looked, if it reads bodies."""
    if which.q is None and which.about is None:
        return {}
    return {"searched": leanbe.deliveries.searched(which)}


def _add_redeliver(routes: Routes, leanbe: Leanbe) -> None:
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
    def redeliver_many(body: Annotated[Redelivery, ModelBody(Redelivery)]) -> Response:
        """Deliver many old events again, each once, as a job.

        A job keeps its filter. To run it again with another filter is a conflict (409); another
        age is none.
        """
        job = _job(leanbe, body)
        done = leanbe.deliveries.redeliver(job, deliver=False)
        return responses.one({"job": job.name, "made": done.made, "withoutUrl": done.without_url})

    @routes.add(
        "POST", "/deliveries/redeliver/dry-run", returns=deliveries.COUNTED_PAGE, errors=WRITING
    )
    def dry_run(
        body: Annotated[Redelivery, ModelBody(Redelivery, query=PAGING)],
        query: Annotated[dict[str, Any], _PAGE],
    ) -> Response:
        """List the deliveries whose events `redeliver` would deliver again, the oldest first.

        The server stores nothing. Deliveries of products without a URL are left out. `count` is
        the number on all pages.
        """
        job = _job(leanbe, body)
        page = leanbe.deliveries.redeliver_dry_run(job, **query)
        return responses.page(
            page, cursor=page.cursor, more={"count": leanbe.deliveries.redeliverable(job)}
        )


def _add_discard(routes: Routes, leanbe: Leanbe) -> None:
    @routes.write("POST", "/deliveries/discard", returns=setup.page(deliveries.DELIVERY))
    def discard(body: Annotated[Discard, ModelBody(Discard)]) -> Response:
        """Discard pending deliveries; settled deliveries and those in flight stay unchanged.

        The response has the discarded deliveries. If the body names a delivery that stays, the
        answer is a conflict (409).
        """
        return responses.page(leanbe.deliveries.discard(body.ids, which=_discarded(leanbe, body)))

    @routes.add(
        "POST", "/deliveries/discard/dry-run", returns=deliveries.COUNTED_PAGE, errors=WRITING
    )
    def dry_run(
        body: Annotated[Discard, ModelBody(Discard, query=PAGING)],
        query: Annotated[dict[str, Any], _PAGE],
    ) -> Response:
        """List the deliveries that `discard` would discard, the newest first.

        The server changes nothing. `count` is the number on all pages.
        """
        which = _discarded(leanbe, body)
        page = leanbe.deliveries.discard_dry_run(body.ids, which=which, **query)
        count = leanbe.deliveries.discardable(which, references=body.ids)
        return responses.page(page, cursor=page.cursor, more={"count": count})


def _job(leanbe: Leanbe, body: Redelivery) -> Job:
    """Return the job: with the name in the body, or with a new name."""
    return Job(
        name=body.job or leanbe.new_job_name(),
        references=body.ids,
        which=_filter_of_body(leanbe, body, since=body.since, job=body.of_job),
    )


def _discarded(leanbe: Leanbe, body: Discard) -> Filter | None:
    """Return the filter of a discard.

    Raises:
        InvalidValue: the body has two least ages.
    """
    if body.before is not None and body.older_than is not None:
        raise InvalidValue("before and olderThan are both there.", hint="Give one of them.")
    before = body.older_than if body.before is None else body.before
    return _filter_of_body(leanbe, body, before=before, job=body.job)


def _filter_of(leanbe: Leanbe, given: dict[str, Any]) -> Filter:
    """Return the filter of these values; ``since`` and ``before`` are ages or instants.

    Raises:
        InvalidValue: an age or an instant is refused.
    """
    ages = {name: _instant_of(leanbe, given.get(name)) for name in ("since", "before")}
    return Filter(**{**given, **ages})


def _filter_of_body(leanbe: Leanbe, body: DeliverySelection, **further: Any) -> Filter | None:
    """Return the filter, or None if the body has ids.

    Raises:
        InvalidValue: the body has both or neither, or an age is refused.
    """
    names = DeliverySelection.model_fields.keys() - {"ids"}
    given = {name: getattr(body, name) for name in names}
    which = _filter_of(leanbe, {**given, **further})
    has_filter = which != Filter()
    if has_filter and body.ids:
        raise InvalidValue(
            "The body has both ids and a filter.", hint="Leave out the ids, or all filters."
        )
    if not has_filter and not body.ids:
        raise InvalidValue(
            "The body selects no deliveries: it has neither ids nor a filter.",
            hint='Give {"ids": [...]}, or a filter such as status, event, product or age.',
        )
    return which if has_filter else None


def _instant_of(leanbe: Leanbe, text: str | None) -> datetime | None:
    """Return the instant that a text has, or the instant at that age.

    Raises:
        InvalidValue: the text is neither.
    """
    if text is None:
        return None
    # In a query, the plus of an instant's offset from UTC is a space if it is not encoded.
    since = parse_since(re.sub(" (?=[0-9]{2}:[0-9]{2}$)", "+", text))
    if isinstance(since, datetime):
        return since
    return leanbe.clock.now() - timedelta(seconds=since)
