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

# The same event may come twice. Leanbe sends no id with it, but three members identify an event:
# store them in your database, under a unique key, in the transaction that handles the event.
seen: set[tuple[str, str, str]] = set()


# Before it calls receive, verified answers 401 to wrong signatures and 400 to other bodies.
@verified(os.environ["LEANBE_WEBHOOK_SECRET"])
def receive(request: HttpRequest, envelope: Envelope) -> HttpResponse:
    """Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return HttpResponse(status=204)
    if handle := HANDLERS.get(envelope.event):  # accept all other events, also new ones
        handle(envelope.payload)
    seen.add(key)
    return HttpResponse(status=204)


def idea_created(idea: dict[str, Any]) -> None:
    """Replace this by your own code."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}

urlpatterns = [path("leanbe", receive)]
