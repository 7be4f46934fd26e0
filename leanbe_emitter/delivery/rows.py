"""Between rows and what passes through the queue: the same few texts are read and written often."""

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from leanbe_emitter.delivery.claims import Claimed, Headers, Settlement, WebhookSettings

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


def claimed_of(row: Any) -> Claimed:
    """Return what was claimed, from the columns that an attempt needs."""
    return Claimed(
        delivery_id=row.id,
        product_id=row.product_id,
        sequence=row.sequence,
        token=row.lease_token,
        number=row.number,
        attempts_counted=row.attempts_counted,
        leases_lost=row.leases_lost,
        due_at=row.due_at,
        event_id=row.event_id,
        event_name=row.name,
        triggered_at=row.triggered_at,
        method=row.method,
        headers=_headers(row.headers),
        body=row.body,
        deviations=_switches(row.deviations),
        overrides=_switches(row.overrides),
        webhook=WebhookSettings(
            url=row.url,
            secret=row.secret,
            ca_file=row.ca_file,
            insecure=bool(row.insecure),
            assumptions=_switches(row.assumptions),
        ),
    )


def attempt_row(settlement: Settlement) -> tuple[Any, ...]:
    """Return the values of ``ATTEMPT_COLUMNS``."""
    evidence = settlement.evidence
    return (
        settlement.delivery_id,
        settlement.number,
        evidence.outcome,
        evidence.started_at,
        evidence.duration_us,
        evidence.url,
        _headers_text(tuple(evidence.request_headers)),
        evidence.request_body,
        evidence.answer_status,
        None if evidence.answer_headers is None else _headers_text(tuple(evidence.answer_headers)),
        evidence.answer_body,
        evidence.answer_length,
        evidence.error,
        evidence.fault,
        _text(dict(evidence.deviations)) if evidence.deviations else "{}",
    )


@lru_cache(_REMEMBERED_TEXTS)
def _headers(text: str) -> Headers:
    return tuple((name, value) for name, value in json.loads(text))


@lru_cache(_REMEMBERED_TEXTS)
def _switches(text: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(text))


@lru_cache(_REMEMBERED_TEXTS)
def _headers_text(headers: Headers) -> str:
    return _text(headers)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
