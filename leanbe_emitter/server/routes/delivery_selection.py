"""Selections of deliveries in requests: the filters of a query, and those of a body."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Filter, Leanbe
from leanbe_emitter.server.http.query_parameters import EVENT_FILTERS, QueryParameter
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.server.schemas.field_types import (
    About,
    Answer,
    EventGlob,
    FaultFilter,
    Outcome,
    Since,
    Status,
    TextSearch,
)
from leanbe_emitter.server.schemas.json_schema import SINCE
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.instants import parse_since

#: Filters of a query.
FILTERS: Final = (
    QueryParameter(name="status", schema=deliveries.STATUS),
    *EVENT_FILTERS,
    QueryParameter(name="since", schema=SINCE),
    QueryParameter(name="before", schema=deliveries.BEFORE),
    *(
        QueryParameter(name=name, schema=schema)
        for name, schema in deliveries.EVIDENCE_FILTERS.items()
    ),
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


def filter_of(leanbe: Leanbe, given: dict[str, Any]) -> Filter:
    """Return the filter of these values; ``since`` and ``before`` are ages or instants.

    Raises:
        InvalidValue: an age or an instant is refused.
    """
    ages = {name: instant_of(leanbe, given.get(name)) for name in ("since", "before")}
    return Filter(**{**given, **ages})


def filter_of_body(leanbe: Leanbe, body: DeliverySelection, **further: Any) -> Filter | None:
    """Return the filter, or None if the body has ids.

    Raises:
        InvalidValue: the body has both or neither, or an age is refused.
    """
    names = DeliverySelection.model_fields.keys() - {"ids"}
    given = {name: getattr(body, name) for name in names}
    which = filter_of(leanbe, {**given, **further})
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


def instant_of(leanbe: Leanbe, text: str | None) -> datetime | None:
    """Return the instant that a text has, or the instant at that age.

    Raises:
        InvalidValue: the text is neither, or lies before all time.
    """
    if text is None:
        return None
    # In a query, the plus of an instant's offset from UTC is a space if it is not encoded.
    since = parse_since(re.sub(" (?=[0-9]{2}:[0-9]{2}$)", "+", text))
    return since if isinstance(since, datetime) else _before_now(leanbe, text, since)


def _before_now(leanbe: Leanbe, text: str, seconds: float) -> datetime:
    try:
        return leanbe.clock.now() - timedelta(seconds=seconds)
    except OverflowError:
        raise InvalidValue(f"{text!r} ago is before all time.", hint="Such as 30d.") from None
