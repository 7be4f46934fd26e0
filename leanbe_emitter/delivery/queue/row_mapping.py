"""Mapping between rows and the tuples of ``queue_types``.

The same few texts are read and written often, so they are cached.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.statements import LeasedRow, Statements
from leanbe_emitter.delivery.queue_types import Claimed, Headers, Settlement, WebhookSettings
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.states import DeliveryState, JournalKind
from leanbe_emitter.wire.assumptions.catalogue import SettledAt, assumption

#: Columns of an attempt, in the order of ``attempt_row``.
ATTEMPT_COLUMNS = (
    "delivery_id",
    "number",
    "outcome",
    "started_at",
    "duration_us",
    "url",
    "request_headers",
    "request_body",
    "answer_status",
    "answer_headers",
    "answer_body",
    "answer_length",
    "error",
    "fault",
    "deviations",
)

_CACHED_TEXTS = 4096
_IN_ORDER = attrgetter("sequence", "delivery_id")

# Characters that no database stores in a text. An error may quote text of the receiver.
_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")


def with_webhooks(
    session: Session, rows: Sequence[LeasedRow], *, statements: Statements
) -> list[Claimed]:
    """Return leased deliveries with their products' webhooks, in the order of their events.

    The webhooks are read in a separate statement, after the one that leased. In one statement,
    PostgreSQL would show the webhooks of before a claim that waited for somebody who set one.
    """
    if not rows:
        return []
    products = statements.ids_parameter({row.product_id for row in rows})
    found = statements.fetch(session, statements.webhooks, {"ids": products})
    webhooks = {row[0]: _webhook_of(row) for row in found}
    claimed = [_claimed_of(row, webhooks[row.product_id]) for row in rows]
    return sorted(claimed, key=_IN_ORDER)


def _webhook_of(row: tuple[Any, ...]) -> WebhookSettings:
    """Return a product's webhook, from a row of ``WEBHOOKS``."""
    _, assumptions, url, secret, ca_file, insecure, has_faults = row
    return WebhookSettings(
        url, secret, ca_file, bool(insecure), _assumptions(assumptions), bool(has_faults)
    )


def _claimed_of(row: LeasedRow, webhook: WebhookSettings) -> Claimed:
    return Claimed(
        *row[:11],
        headers=_headers(row.headers),
        body=row.body,
        event_assumptions=_assumptions(row.deviations),
        request_assumptions=_assumptions(row.overrides),
        webhook=webhook,
        leases_lost=row.leases_lost,
    )


def recorded_assumptions(text: str) -> Mapping[str, str]:
    """Return an event's assumptions about its bytes, from the text of its row."""
    return {
        name: value
        for name, value in _assumptions(text).items()
        if assumption(name).settled_at is SettledAt.RECORDING
    }


def fact_of(settlement: Settlement, state: DeliveryState) -> Fact:
    """Return the journal's entry for an attempt that left its delivery in this state."""
    return Fact(
        JournalKind.ATTEMPT,
        settlement.event_id,
        settlement.delivery_id,
        settlement.number,
        state.status if state.is_end else None,
    )


def attempt_row(settlement: Settlement) -> tuple[Any, ...]:
    """Return the values of ``ATTEMPT_COLUMNS``."""
    evidence = settlement.evidence
    return (
        settlement.delivery_id,
        settlement.number,
        evidence.outcome.value,
        evidence.started_at,
        evidence.duration_us,
        evidence.url,
        _headers_text(tuple(evidence.request_headers)),
        evidence.request_body,
        evidence.answer_status,
        None if evidence.answer_headers is None else _headers_text(tuple(evidence.answer_headers)),
        evidence.answer_body,
        evidence.answer_length,
        None if evidence.error is None else _UNHOLDABLE.sub("\ufffd", evidence.error),
        evidence.fault,
        _text(dict(evidence.assumptions)) if evidence.assumptions else "{}",
    )


@lru_cache(_CACHED_TEXTS)
def _headers(text: str) -> Headers:
    return tuple((name, value) for name, value in json.loads(text))


@lru_cache(_CACHED_TEXTS)
def _assumptions(text: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(text))


@lru_cache(_CACHED_TEXTS)
def _headers_text(headers: Headers) -> str:
    return _text(headers)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
