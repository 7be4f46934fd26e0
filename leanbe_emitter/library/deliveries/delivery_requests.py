"""The requests of a delivery: as code, with a signature step by step, explained, and probed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.header_masking import masked
from leanbe_emitter.delivery.network.code_forms import CodeForm
from leanbe_emitter.delivery.network.transport import compose_headers
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.errors import Conflict, InvalidValue, NotFound
from leanbe_emitter.header_rules import header_pairs
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.library.runtime.awaitables import waits
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow, RetiredSecretRow, WebhookRow
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.faults.catalogue import FaultSpec

if TYPE_CHECKING:
    from leanbe_emitter.delivery.network.request_code import RequestCode
    from leanbe_emitter.library.deliveries.probing import Probed
    from leanbe_emitter.wire.explain.explainer import Explanation
    from leanbe_emitter.wire.explain.signature_steps import SignatureSteps


class DeliveryRequests:
    """The requests of deliveries: as code, with their signatures, explained, and probed.

    The methods do what those of ``Delivery`` say, which call them.
    """

    def __init__(self, transactions: Transactions, engine: Engine) -> None:
        self._transactions = transactions
        self._engine = engine

    def code(
        self, delivery: Delivery, form: str, *, attempt: int | None, masks: bool
    ) -> "RequestCode":
        """Return a request of a delivery as code that sends it again."""
        # Few programs show a request as code.
        from leanbe_emitter.delivery.network import request_code as repeating  # noqa: PLC0415

        if form not in set(CodeForm):
            raise InvalidValue(f"{form!r} is no form of code.", hint=f"Use {any_of(CodeForm)}.")
        with self._transactions.looking() as session:
            webhook, made = webhook_of(session, delivery), attempt_of(delivery, attempt)
            url, headers, body = _request_of(delivery, made)
            plain = shown = header_pairs(headers)
            if masks:
                assumptions = assumptions_of(session, delivery, made)
                shown = header_pairs(masked(headers, assumptions=assumptions))
            request = repeating.RequestToRepeat(
                event=delivery.event.name,
                method=delivery.event.method,
                url=url,
                headers=shown,
                body=body.decode(),
                ca_file=webhook.ca_file,
                insecure=webhook.insecure,
            )
        text = repeating.code_of(request, CodeForm(form))
        return repeating.RequestCode(text=text, is_masked=shown != plain)

    def signature(self, delivery: Delivery, *, attempt: int | None) -> "SignatureSteps":
        """Return how a request of a delivery was signed, or will be."""
        from leanbe_emitter.wire.explain.signature_steps import Secrets, signature_steps  # noqa: PLC0415 - as below

        with self._transactions.looking() as session:
            webhook, made = webhook_of(session, delivery), attempt_of(delivery, attempt)
            changed = assumptions_of(session, delivery, made)
            earlier = _earlier_secrets(session, webhook)
            secrets = Secrets(current=webhook.secret or "", earlier=earlier)
        return signature_steps(
            delivery.event.body if made is None else made.request_body,
            delivery.event.headers if made is None else made.request_headers,
            unaltered=delivery.event.body,
            secrets=secrets,
            assumptions=parse_assumptions(changed),
            changed=changed,
            fault=None if made is None else made.fault,
        )

    def signed_text(self, delivery: Delivery) -> str:
        """Return the text that was signed for the last request that no fault changed."""
        from leanbe_emitter.wire.explain.received_request import signed_text_of  # noqa: PLC0415

        with self._transactions.looking() as session:
            webhook_of(session, delivery)
            changed = assumptions_of(session, delivery, attempt_of(delivery, None))
        unchanged = [each for each in delivery.attempts if each.fault is None]
        body = unchanged[-1].request_body if unchanged else delivery.event.body
        return signed_text_of(body, parse_assumptions(changed))

    def explain(
        self,
        delivery: Delivery,
        *,
        attempt: int | None,
        got: str | None,
        hashed: bytes | None,
        lang: str | None,
    ) -> "Explanation":
        """Explain what is wrong with a delivery's body or its receiver."""
        # An explanation loads the imitations of many serialisers; few programs need one.
        from leanbe_emitter.wire.explain.explainer import explain  # noqa: PLC0415

        last = attempt_of(delivery, attempt)
        with self._transactions.looking() as session:
            webhook = webhook_of(session, delivery)
            secret, others = webhook.secret, other_secrets_of(session, webhook)
            assume = assumptions_of(session, delivery, last)
        found = explain(
            delivery.event.body if last is None else last.request_body,
            secret or "",
            got=got,
            hashed=hashed,
            answer=_refusal(last),
            lang=lang,
            other_secrets=others,
            headers=delivery.event.headers if last is None else last.request_headers,
            assume=assume,
        )
        if last is None or last.fault is None:
            return found
        description = FaultSpec.from_text(last.fault).description()
        return replace(found, summary=f"{found.summary} {description}")

    @waits("delivery.explain(probe=True)")
    async def probe(self, delivery: Delivery, *, lang: str | None) -> "Probed":
        """Ask the receiver of a delivery which mistake it makes."""
        # A probe loads the imitations of many serialisers; few programs need one.
        from leanbe_emitter.library.deliveries.probing import Probing  # noqa: PLC0415

        probing = Probing(self._transactions, self._engine)
        return await probing.probe(delivery, lang=lang)


def attempt_of(delivery: Delivery, number: int | None) -> Attempt | None:
    """Return an attempt by its number, or the last one; None if there was none yet.

    Raises:
        NotFound: the delivery has no attempt of that number.
    """
    if number is None:
        return delivery.attempts[-1] if delivery.attempts else None
    for each in delivery.attempts:
        if each.number == number:
            return each
    raise NotFound(
        f"The delivery {delivery.id} has no attempt {number}.",
        hint=f"It has {len(delivery.attempts)}.",
    )


def _refusal(last: Attempt | None) -> bytes | None:
    """Return the answer of a receiver that refused; it may hold the signature it computed."""
    return last.answer_body if last is not None and last.outcome is Outcome.REFUSED else None


def assumptions_of(session: Session, delivery: Delivery, made: Attempt | None) -> Mapping[str, str]:
    """Return the assumptions of an attempt; before the first, those of the event."""
    if made is not None:
        return made.assumptions
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


def _request_of(
    delivery: Delivery, made: Attempt | None
) -> tuple[str, Sequence[tuple[str, str]], bytes]:
    """Return URL, headers and body of an attempt, or else of the first one to come."""
    if made is not None:
        return made.url, made.request_headers, made.request_body
    if delivery.url is None:
        raise Conflict(
            "No request was sent yet, and the product has no URL.",
            hint=SET_WEBHOOK.between("Set one: ", "."),
        )
    body = delivery.event.body
    headers = compose_headers(delivery.url, content_length=len(body), extra=delivery.event.headers)
    return delivery.url, headers, body


def _earlier_secrets(session: Session, webhook: WebhookRow) -> Sequence[str]:
    return session.scalars(
        select(RetiredSecretRow.secret).where(RetiredSecretRow.product_id == webhook.product_id)
    ).all()


def other_secrets_of(session: Session, webhook: WebhookRow) -> list[tuple[str, str]]:
    """Return old secrets and those of other products, each with a description."""
    retired = _earlier_secrets(session, webhook)
    others = session.execute(
        select(ProductRow.name, WebhookRow.secret)
        .join(WebhookRow, WebhookRow.product_id == ProductRow.id)
        .where(WebhookRow.product_id != webhook.product_id)
    )
    return [
        *(("an old secret of this product", secret) for secret in retired),
        *((f"that of the product {name!r}", secret) for name, secret in others if secret),
    ]
