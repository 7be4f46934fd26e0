"""Receiver and helpers for tests of faults."""

from datetime import UTC, datetime
from typing import Any

from leanbe_emitter import Attempt, InvalidSignature, Leanbe, ReceivedRequest, verify

START = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "whsec_test"


class VerifyingReceiver:
    """A receiver that verifies bodies and keeps its requests."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []

    def __call__(self, request: ReceivedRequest) -> int:
        self.requests.append(request)
        try:
            verify(request.body, SECRET)
        except InvalidSignature:
            return 401
        return 204

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.requests]


def attempts_of_last(leanbe: Leanbe, event: str | None = None) -> list[tuple[Any, ...]]:
    """Return outcome, status and fault of each attempt of the last delivery."""
    attempts = leanbe.deliveries.last(event).attempts
    return [(each.outcome.value, each.answer_status, each.fault) for each in attempts]


def last_attempt(leanbe: Leanbe) -> Attempt:
    return leanbe.deliveries.last().attempts[-1]
