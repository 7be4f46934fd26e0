"""Deliveries: list, count and show them, with the evidence of their requests."""

from typing import Annotated, Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from leanbe_emitter.delivery.network.code_forms import CodeForm
from leanbe_emitter.library import Filter, Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.query_parameters import (
    MAX_LIMIT,
    Query,
    check_page_limit,
    choice_parameter,
    integer_parameter,
    paging,
)
from leanbe_emitter.server.http.responses import PAGE_BYTES
from leanbe_emitter.server.http.routing import WRITING, Routes
from leanbe_emitter.server.routes.delivery_selection import FILTERS, filter_of
from leanbe_emitter.server.schemas import deliveries

#: Most rows of a page.
MOST_ROWS: Final = 500

_LIST: Final = Query(
    choice_parameter(
        "view", ["rows"], "Form of the items: `rows` are short; by default they are whole."
    ),
    *FILTERS,
    *paging(most=MOST_ROWS, meaning=f"Maximum number of items; more than {MAX_LIMIT} for rows."),
)
_COUNT: Final = Query(*FILTERS)
_NUMBER: Final = integer_parameter(
    "attempt", "Number of the attempt; by default, the last one, or else the first to come."
)
_ATTEMPT: Final = Query(_NUMBER)
_CODE: Final = Query(
    choice_parameter("as", [*CodeForm], "Form of the code.", keyword="form", default=CodeForm.CURL),
    _NUMBER,
)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on deliveries."""
    routes = Routes(app, leanbe, "Deliveries")

    @routes.read_list("/deliveries", returns=deliveries.LIST)
    def list_(request: Request, query: Annotated[dict[str, Any], _LIST]) -> Response:
        """List deliveries with all their attempts, the newest first.

        With `view=rows`, each item has what a line of a list shows: the delivery, what its event is
        about, and its last attempt. The server compresses rows for clients that accept gzip.

        `q` and `about` look at the newest 10 000 deliveries. With one of them, the response has
        `searched`: 10000 if there are older deliveries, otherwise null.
        """
        after, limit, view = query.pop("after", None), query.pop("limit"), query.pop("view", None)
        which = filter_of(leanbe, query)
        more = _searched(leanbe, which)
        if view is None:
            check_page_limit(limit)
            page = leanbe.deliveries.list(which, limit=limit, after=after, max_bytes=PAGE_BYTES)
            return responses.page(page, cursor=page.cursor, more=more)
        rows = leanbe.deliveries.rows(which, limit=limit, after=after)
        return responses.compressed_page(rows, request, cursor=rows.cursor, more=more)

    @routes.read("/deliveries/count", returns=deliveries.COUNT)
    def count(query: Annotated[dict[str, Any], _COUNT]) -> Response:
        """Count deliveries, by status.

        Counting stops at 100 000 deliveries; then `more` is true.
        """
        which = filter_of(leanbe, query)
        found = leanbe.deliveries.count(which)
        return responses.one({**found.document(), **_searched(leanbe, which)})

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
