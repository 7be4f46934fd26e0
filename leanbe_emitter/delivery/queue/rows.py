"""Between rows and what passes through the queue: the same few texts are read and written often."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from leanbe_emitter.delivery.claims import Claimed, Headers, Settlement, WebhookSettings
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.states import DeliveryState, JournalKind

#: What an attempt needs of a delivery ``d`` and its event ``e``, in the order of ``Taken``.
NEEDED = """
    d.id, d.product_id, d.sequence, {lease}, {number}, d.attempts_counted, d.due_at, d.event_id,
    e.name, e.triggered_at, e.method, e.headers, e.body, e.deviations, e.overrides, d.leases_lost"""

#: The columns of an attempt, in the order of ``attempt_row``.
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

_REMEMBERED_TEXTS = 4096

# What no database holds in a text. An error may quote a receiver's own words.
_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")


class Taken(NamedTuple):
    """A row of ``NEEDED``: it begins with what ``Claimed`` begins with."""

    id: str
    product_id: str
    sequence: int
    token: str
    number: int
    attempts_counted: int
    due_at: int
    event_id: str
    event_name: str
    triggered_at: int
    method: str
    headers: str
    body: str
    deviations: str
    overrides: str
    leases_lost: int


class Expired(NamedTuple):
    """A row of ``EXPIRED``: a delivery whose lease ran out, and where its attempt went."""

    id: str
    event_id: str
    lease_token: str
    lease_until: int
    due_at: int
    attempts_started: int
    leases_lost: int
    url: str | None


def webhook_of(row: tuple[Any, ...]) -> WebhookSettings:
    """Return a product's webhook, from a row of ``WEBHOOKS``."""
    _, assumptions, url, secret, ca_file, insecure, has_faults = row
    return WebhookSettings(
        url, secret, ca_file, bool(insecure), _assumptions(assumptions), bool(has_faults)
    )


def claimed_of(row: Taken, webhook: WebhookSettings) -> Claimed:
    """Return what was claimed, from what was taken and its product's webhook."""
    return Claimed(
        *row[:11],
        headers=_headers(row.headers),
        body=row.body,
        event_assumptions=_assumptions(row.deviations),
        request_assumptions=_assumptions(row.overrides),
        webhook=webhook,
        leases_lost=row.leases_lost,
    )


def fact_of(settlement: Settlement, state: DeliveryState) -> Fact:
    """Return what the journal tells of an attempt that left its delivery in this state."""
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


@lru_cache(_REMEMBERED_TEXTS)
def _headers(text: str) -> Headers:
    return tuple((name, value) for name, value in json.loads(text))


@lru_cache(_REMEMBERED_TEXTS)
def _assumptions(text: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(text))


@lru_cache(_REMEMBERED_TEXTS)
def _headers_text(headers: Headers) -> str:
    return _text(headers)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
