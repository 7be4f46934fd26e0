"""Fingerprints of settings: two readings that differ say what was changed in between.

Only events are in the journal. A reader that shows settings learns by fingerprints that some other
process changed them.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.engine.session import fetch
from leanbe_emitter.storage.schema.tables import (
    ClockRow,
    EventRow,
    FaultRow,
    MembershipRow,
    ProductRow,
    WebhookRow,
)


class Setting(StrEnum):
    """The subjects of fingerprints; all but the clock and the faults belong to a product."""

    PRODUCTS = "products"
    STATUSES = "statuses"
    ASSUMPTIONS = "assumptions"
    WEBHOOKS = "webhooks"
    USERS = "users"
    FAULTS = "faults"
    CLOCK = "clock"
    #: The numbers of the product's first and last event that are there: the pair tells of a reset.
    EVENTS = "events"


class Subject(NamedTuple):
    """A setting, and the product that it belongs to; None: all products."""

    setting: Setting
    product_id: str | None


#: It is compared, and never shown: it may hold a secret.
Fingerprint = tuple[Any, ...]

_PRODUCTS: Final = select(
    ProductRow.id,
    ProductRow.name,
    ProductRow.statuses,
    ProductRow.assumptions,
    ProductRow.sequence.label("last"),
    select(func.min(EventRow.sequence))
    .where(EventRow.product_id == ProductRow.id)
    .correlate(ProductRow)
    .scalar_subquery()
    .label("first"),
)
_WEBHOOKS: Final = select(
    WebhookRow.product_id,
    WebhookRow.url,
    WebhookRow.secret,
    WebhookRow.headers,
    WebhookRow.ca_file,
    WebhookRow.insecure,
)
_USERS: Final = select(MembershipRow.product_id, func.count().label("number")).group_by(
    MembershipRow.product_id
)
_FAULTS: Final = select(FaultRow.id, FaultRow.fired).order_by(FaultRow.position)
_CLOCK: Final = select(ClockRow.now_at)


def fingerprints(session: Session) -> dict[Subject, Fingerprint]:
    """Return the fingerprints of all settings."""
    return dict(_read(session))


def _read(session: Session) -> Iterator[tuple[Subject, Fingerprint]]:
    for row in fetch(session, _PRODUCTS):
        yield Subject(Setting.PRODUCTS, row.id), (row.name,)
        yield Subject(Setting.STATUSES, row.id), (row.statuses,)
        yield Subject(Setting.ASSUMPTIONS, row.id), (row.assumptions,)
        yield Subject(Setting.EVENTS, row.id), (row.first, row.last)
    for row in fetch(session, _WEBHOOKS):
        yield Subject(Setting.WEBHOOKS, row.product_id), tuple(row[1:])
    for row in fetch(session, _USERS):
        yield Subject(Setting.USERS, row.product_id), (row.number,)
    yield Subject(Setting.FAULTS, None), tuple(tuple(row) for row in fetch(session, _FAULTS))
    yield Subject(Setting.CLOCK, None), tuple(tuple(row) for row in fetch(session, _CLOCK))
