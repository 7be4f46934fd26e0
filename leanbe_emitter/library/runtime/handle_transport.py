"""The transport of a handle's requests, and how much of an answer it stores."""

from typing import TYPE_CHECKING

from leanbe_emitter.delivery.network.answer_buffer import AnswerLimits
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.settings import Settings
from leanbe_emitter.target_rules import TargetRules

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport


def as_transport(
    transport: "Transport | AsyncBaseTransport | None", *, rules: TargetRules, settings: Settings
) -> Transport | None:
    """Return the transport; httpx is imported only for an ``AsyncBaseTransport``."""
    if transport is None or hasattr(transport, "send"):
        return transport
    from leanbe_emitter.delivery.network.httpx_transport import HttpxTransport  # noqa: PLC0415 - slow

    return HttpxTransport(transport, rules=rules, limits=answer_limits(settings))


def answer_limits(settings: Settings) -> AnswerLimits:
    """Return how much of an answer is stored."""
    return AnswerLimits(
        answer_bytes=settings.kept_answer_bytes, header_bytes=settings.kept_header_bytes
    )
