"""Leanbe's webhooks, which keep the desk up to date."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from leanbe_emitter import Envelope
from leanbe_emitter.receivers.django import verified

from desk.models import Customer, SeenEvent


@verified(lambda: settings.LEANBE_WEBHOOK_SECRET)
def receive(request: HttpRequest, envelope: Envelope) -> HttpResponse:
    """Handle an event once, and accept those that mean nothing here, new ones too."""
    if handle := HANDLERS.get(envelope.event):
        with transaction.atomic():  # what is seen is done, or neither is
            if is_new(envelope):
                handle(envelope.payload)
    return HttpResponse(status=204)


def is_new(envelope: Envelope) -> bool:
    """Say whether an event comes for the first time, and remember that it did."""
    is_created: bool = SeenEvent.objects.get_or_create(
        event=envelope.event, triggered_at=envelope.triggered_at, signature=envelope.signature
    )[1]
    return is_created


def save_customer(customer: dict[str, Any]) -> None:
    Customer.objects.update_or_create(
        leanbe_id=customer["_id"],
        defaults={"email": customer["email"], "name": customer.get("firstName", "")},
    )


def delete_customer(customer: dict[str, Any]) -> None:
    Customer.objects.filter(leanbe_id=customer["_id"]).delete()


def count_wish(request: dict[str, Any]) -> None:
    """Count a feature request; one that nobody in particular made has no customer."""
    customer = request.get("customer")
    if customer is not None:
        save_customer(customer)
        Customer.objects.filter(leanbe_id=customer["_id"]).update(wishes=F("wishes") + 1)


HANDLERS = {
    "customer.created": save_customer,
    "customer.updated": save_customer,
    "customer.deleted": delete_customer,
    "ideaRequest.created": count_wish,
}
