"""A prober of one webhook: puts the requests of a probe together with a sender of attempts."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.attempt.single import single_request
from leanbe_emitter.delivery.probing.conversation import Conversation
from leanbe_emitter.delivery.probing.prober import Prober
from leanbe_emitter.delivery.queue_types import (
    Claimed,
    Evidence,
    Headers,
    Settlement,
    WebhookSettings,
)
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import SealedRequest
from leanbe_emitter.wire.explain.keys import other_secret

#: Pairs of a label (``the secret of Acme``) and a secret that a receiver may use by mistake.
OtherSecrets: TypeAlias = Iterable[tuple[str, str]]


def prober_of(  # noqa: PLR0913 - a webhook, what sends, and where ids and time come from
    webhook: WebhookSettings,
    *,
    settled_by: Callable[[Claimed], Awaitable[Settlement]],
    clock: Clock,
    ids: Ids,
    headers: Headers = (),
    assume: Mapping[str, str] | None = None,
    after: datetime | None = None,
    lang: str | None = None,
    other_secrets: OtherSecrets = (),
) -> Prober:
    """Return the prober of a webhook's receiver.

    Args:
        webhook: its URL, its secret, and how its certificate is verified.
        settled_by: makes an attempt, such as ``Sender.send``.
        clock: the source of time.
        ids: the source of the documents' ids.
        headers: headers of the product beside those of the envelope.
        assume: the assumptions of the requests.
        after: an instant that all events of the probe are later than.
        lang: the receiver's language, such as ``php``, for the repair.
        other_secrets: labels and secrets that the receiver may use by mistake.

    Raises:
        InvalidValue: the secret is empty, or there are no repairs for the language.
    """
    if not webhook.secret:
        raise InvalidValue("The secret is empty.", hint="Give the webhook's secret.")
    assumed = {**(assume or {})}

    async def send(sealed: SealedRequest, /, *, event: str, triggered_at: datetime) -> Evidence:
        request = single_request(
            webhook,
            event=event,
            triggered_at=to_milliseconds(triggered_at),
            headers=(*sealed.headers, *headers),
            body=sealed.body,
            assume=assumed,
            now=to_milliseconds(clock.now()),
        )
        return (await settled_by(request)).evidence

    now = clock.now()
    conversation = Conversation(
        send=send,
        secret=webhook.secret,
        assumptions=parse_assumptions(assumed),
        new_id=lambda: ids.object_id(now),
        now=now if after is None else max(now, after),
    )
    others = tuple(other_secret(label, secret) for label, secret in other_secrets)
    return Prober(conversation, lang=lang, other_keys=others)
