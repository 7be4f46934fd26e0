"""A receiver of Leanbe's webhooks in Flask, to start from.

pip install flask leanbe-emitter
LEANBE_WEBHOOK_SECRET=whsec_test flask --app receiver run --port 8000
"""

import os
from typing import Any

from flask import Flask

from leanbe_emitter import Envelope
from leanbe_emitter.receivers.flask import verified

app = Flask(__name__)

# Be ready for the same event twice. Leanbe sends no id of it, but three members tell events apart:
# keep them in your database, under a unique key, in the transaction of what the event changes.
seen: set[tuple[str, str, str]] = set()


# Wrong signatures are answered 401, and what is no webhook 400, before receive is called.
@app.post("/hooks/leanbe")
@verified(os.environ["LEANBE_WEBHOOK_SECRET"])
def receive(envelope: Envelope) -> tuple[str, int]:
    """Answer quickly: how long Leanbe waits is not known. Long work belongs in a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return "", 204
    if handle := HANDLERS.get(envelope.event):  # all others are accepted, new ones too
        handle(envelope.payload)
    seen.add(key)
    return "", 204


def idea_created(idea: dict[str, Any]) -> None:
    """Do what is yours to do."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}
