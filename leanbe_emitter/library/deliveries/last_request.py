"""The last request of a delivery: as a shell command, and explained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.header_masking import masked
from leanbe_emitter.delivery.network.curl import curl
from leanbe_emitter.delivery.network.transport import compose_headers
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.errors import Conflict, NotFound
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow, RetiredSecretRow, WebhookRow
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.faults.catalogue import FaultSpec

if TYPE_CHECKING:
    from leanbe_emitter.wire.explain.explainer import Explanation


def curl_command(session: Session, delivery: Delivery, *, masks: bool) -> str:
    """Return a shell command that sends a delivery's last request again.

    Raises:
        Conflict: no request was sent yet, and the product has no URL.
        NotFound: the product was deleted meanwhile.
    """
    webhook = webhook_of(session, delivery)
    url, headers, body = _request_of(delivery)
    return curl(
        method=delivery.event.method,
        url=url,
        headers=_masked(headers, assumptions_of(session, delivery)) if masks else headers,
        body=body.decode(),
        ca_file=webhook.ca_file,
        insecure=webhook.insecure,
    )


def signed_text(session: Session, delivery: Delivery) -> str:
    """Return the text that was signed for the last request that no fault changed.

    Raises:
        NotFound: the product was deleted meanwhile.
    """
    from leanbe_emitter.wire.explain.received_request import signed_text_of  # noqa: PLC0415

    webhook_of(session, delivery)
    unchanged = [each for each in delivery.attempts if each.fault is None]
    body = unchanged[-1].request_body if unchanged else delivery.event.body
    return signed_text_of(body, parse_assumptions(assumptions_of(session, delivery)))


def explain_delivery(
    session: Session, delivery: Delivery, *, got: str | None, hashed: bytes | None, lang: str | None
) -> "Explanation":
    """Explain what is wrong with a delivery's body or its receiver.

    Raises:
        InvalidValue: the product never had a secret, or there are no repairs for the language.
        NotFound: the product was deleted meanwhile.
    """
    # An explanation loads the imitations of many serialisers; few programs need one.
    from leanbe_emitter.wire.explain.explainer import explain  # noqa: PLC0415

    webhook = webhook_of(session, delivery)
    others = other_secrets_of(session, webhook)
    last = delivery.attempts[-1] if delivery.attempts else None
    found = explain(
        delivery.event.body if last is None else last.request_body,
        webhook.secret or "",
        got=got,
        hashed=hashed,
        answer=_refusal(last),
        lang=lang,
        other_secrets=others,
        headers=delivery.event.headers if last is None else last.request_headers,
        assume=assumptions_of(session, delivery),
    )
    if last is None or last.fault is None:
        return found
    description = FaultSpec.from_text(last.fault).description()
    return replace(found, summary=f"{found.summary} {description}")


def _refusal(last: Attempt | None) -> bytes | None:
    """Return the answer of a receiver that refused; it may hold the signature it computed."""
    return last.answer_body if last is not None and last.outcome is Outcome.REFUSED else None


def assumptions_of(session: Session, delivery: Delivery) -> Mapping[str, str]:
    """Return the assumptions of the last request; before the first, those of the event."""
    if delivery.attempts:
        return delivery.attempts[-1].assumptions
    changed: Mapping[str, str] = session.get_one(EventRow, delivery.event.id).deviations
    return changed


def webhook_of(session: Session, delivery: Delivery) -> WebhookRow:
    """Return the row of the delivery's webhook.

    Raises:
        NotFound: the product was deleted meanwhile.
    """
    row = session.get(WebhookRow, delivery.event.product_id)
    if row is None:
        raise NotFound("The delivery's product was deleted meanwhile.")
    return row


def _request_of(delivery: Delivery) -> tuple[str, Sequence[tuple[str, str]], bytes]:
    """Return URL, headers and body of the last request, or else of the first one to come."""
    if delivery.attempts:
        last = delivery.attempts[-1]
        return last.url, last.request_headers, last.request_body
    if delivery.url is None:
        raise Conflict(
            "No request was sent yet, and the product has no URL.",
            hint=SET_WEBHOOK.between("Set one: ", "."),
        )
    body = delivery.event.body
    headers = compose_headers(delivery.url, content_length=len(body), extra=delivery.event.headers)
    return delivery.url, headers, body


def _masked(
    headers: Sequence[tuple[str, str]], assumptions: Mapping[str, str]
) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, value in masked(headers, assumptions=assumptions)]


def other_secrets_of(session: Session, webhook: WebhookRow) -> list[tuple[str, str]]:
    """Return old secrets and those of other products, each with a description."""
    retired = session.scalars(
        select(RetiredSecretRow.secret).where(RetiredSecretRow.product_id == webhook.product_id)
    )
    others = session.execute(
        select(ProductRow.name, WebhookRow.secret)
        .join(WebhookRow, WebhookRow.product_id == ProductRow.id)
        .where(WebhookRow.product_id != webhook.product_id)
    )
    return [
        *(("an old secret of this product", secret) for secret in retired),
        *((f"that of the product {name!r}", secret) for name, secret in others if secret),
    ]
