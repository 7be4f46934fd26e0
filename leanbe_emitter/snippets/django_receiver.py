"""A receiver of Leanbe's webhooks in Django, to start from.

pip install django leanbe-emitter
In urls.py: path("hooks/", include("receiver")); the secret is in LEANBE_WEBHOOK_SECRET.
"""

import os
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from leanbe_emitter import Envelope
from leanbe_emitter.receivers.django import verified

# Be ready for the same event twice. Leanbe sends no id of it, but three members tell events apart:
# keep them in your database, under a unique key, in the transaction of what the event changes.
seen: set[tuple[str, str, str]] = set()


# Wrong signatures are answered 401, and what is no webhook 400, before receive is called.
@verified(os.environ["LEANBE_WEBHOOK_SECRET"])
def receive(request: HttpRequest, envelope: Envelope) -> HttpResponse:
    """Answer quickly: how long Leanbe waits is not known. Long work belongs in a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return HttpResponse(status=204)
    if handle := HANDLERS.get(envelope.event):  # all others are accepted, new ones too
        handle(envelope.payload)
    seen.add(key)
    return HttpResponse(status=204)


def idea_created(idea: dict[str, Any]) -> None:
    """Do what is yours to do."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}

urlpatterns = [path("leanbe", receive)]
