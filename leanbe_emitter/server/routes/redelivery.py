"""Redelivery of old events, and discarding of pending deliveries, one by one or by a filter."""

from typing import Annotated, Any, Final

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Filter, Job, Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.query_parameters import PAGING, Query
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.routes.delivery_selection import DeliverySelection, filter_of_body
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import Age, JobName, Since

_PAGE: Final = Query(*PAGING)


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
    """Add the operations that redeliver and discard."""
    routes = Routes(app, leanbe, "Deliveries")
    _add_redeliver(routes, leanbe)
    _add_discard(routes, leanbe)


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
        which=filter_of_body(leanbe, body, since=body.since, job=body.of_job),
    )


def _discarded(leanbe: Leanbe, body: Discard) -> Filter | None:
    """Return the filter of a discard.

    Raises:
        InvalidValue: the body has two least ages.
    """
    if body.before is not None and body.older_than is not None:
        raise InvalidValue("before and olderThan are both there.", hint="Give one of them.")
    before = body.older_than if body.before is None else body.before
    return filter_of_body(leanbe, body, before=before, job=body.job)
