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

# The same event may come twice. Leanbe sends no id with it, but three members identify an event:
# store them in your database, under a unique key, in the transaction that handles the event.
seen: set[tuple[str, str, str]] = set()


# Before it calls receive, verified answers 401 to wrong signatures and 400 to other bodies.
@app.post("/hooks/leanbe")
@verified(os.environ["LEANBE_WEBHOOK_SECRET"])
def receive(envelope: Envelope) -> tuple[str, int]:
    """Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return "", 204
    if handle := HANDLERS.get(envelope.event):  # accept all other events, also new ones
        handle(envelope.payload)
    seen.add(key)
    return "", 204


def idea_created(idea: dict[str, Any]) -> None:
    """Replace this by your own code."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}
