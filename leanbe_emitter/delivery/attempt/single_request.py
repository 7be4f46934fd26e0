"""Single requests, which no queue holds: nothing of them is stored."""

from collections.abc import Mapping

from leanbe_emitter.delivery.queue_types import Claimed, Headers, WebhookSettings
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions, parse_assumptions


def single_request(  # noqa: PLR0913 - the parts of a request
    webhook: WebhookSettings,
    *,
    event: str,
    triggered_at: int,
    headers: Headers,
    body: str,
    assume: Mapping[str, str],
    now: int,
) -> Claimed:
    """Return a request that the sender makes once, with this body.

    Args:
        webhook: where it goes, and the secret.
        event: the event's name; empty if the body is no envelope.
        triggered_at: the event's instant in milliseconds since 1970.
        headers: all headers beside the usual ones, in order.
        body: the body's text.
        assume: the assumptions of the request.
        now: the present instant in milliseconds since 1970.
    """
    assumptions = parse_assumptions(assume)
    return Claimed(
        delivery_id="",
        product_id="",
        sequence=1,
        token="",
        number=1,
        attempts_counted=0,
        due_at=now,
        event_id="",
        event_name=event,
        triggered_at=triggered_at,
        method=assumptions.method,
        headers=headers,
        body=body,
        event_assumptions=changed_assumptions(assumptions),
        # The body is final: assumptions about queued bodies do not apply.
        request_assumptions={**assume, "resign_queued": "false"},
        webhook=webhook,
    )
