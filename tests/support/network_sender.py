"""Senders and requests for tests of the network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from leanbe_emitter.delivery.network.http1 import IDLE_SECONDS, Http1Transport
from leanbe_emitter.delivery.network.resolver import Resolve
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    VERIFY,
    AnswerLimits,
    OutgoingRequest,
    TlsSettings,
    Unknown,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.target_rules import TargetRules
from tests.support.waiting import PATIENCE_SECONDS

BODY = b'{"payload":{}}'


def post(
    url: str,
    *,
    body: bytes = BODY,
    timeout_seconds: float = PATIENCE_SECONDS,
    tls: TlsSettings = VERIFY,
    extra: tuple[tuple[str, str], ...] = (),
) -> OutgoingRequest:
    """Return a request as the delivery's sender composes it."""
    return OutgoingRequest(
        method="POST",
        url=url,
        headers=compose_headers(url, content_length=len(body), extra=extra),
        body=body,
        timeout_seconds=timeout_seconds,
        tls=tls,
    )


async def resolve_nothing(host: str, port: int) -> tuple[str, ...]:
    """Resolve no name; a test that needs names passes its own function."""
    raise OSError(f"this test resolves no name: {host}:{port}")


@asynccontextmanager
async def open_sender(
    *,
    rules: TargetRules | None = None,
    resolve: Resolve = resolve_nothing,
    limits: AnswerLimits = DEFAULT_LIMITS,
    idle_seconds: float = IDLE_SECONDS,
) -> AsyncIterator[Http1Transport]:
    """Yield a network sender, and close it when the block ends."""
    transport = Http1Transport(
        rules=rules or TargetRules(), resolve=resolve, limits=limits, idle_seconds=idle_seconds
    )
    try:
        yield transport
    finally:
        await transport.aclose()


async def send_to_unknown(transport: Http1Transport, request: OutgoingRequest) -> Unknown:
    """Send a request that gets no complete answer; return the error."""
    with pytest.raises(Unknown) as caught:
        await transport.send(request)
    return caught.value


async def send_to_unreachable(transport: Http1Transport, request: OutgoingRequest) -> str:
    """Send a request of which no byte goes out; return the reason."""
    with pytest.raises(Unreachable) as caught:
        await transport.send(request)
    return caught.value.reason
