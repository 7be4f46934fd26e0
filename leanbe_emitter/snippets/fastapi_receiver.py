"""A receiver of Leanbe's webhooks in FastAPI, to start from.

pip install fastapi uvicorn leanbe-emitter
LEANBE_WEBHOOK_SECRET=whsec_test uvicorn receiver:app --port 8000
"""

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from leanbe_emitter import Envelope
from leanbe_emitter.receivers.fastapi import verified

app = FastAPI()
# Wrong signatures are answered 401, and what is no webhook 400, before receive is called.
Verified = Annotated[Envelope, Depends(verified(os.environ["LEANBE_WEBHOOK_SECRET"]))]

# Be ready for the same event twice. Leanbe sends no id of it, but three members tell events apart:
# keep them in your database, under a unique key, in the transaction of what the event changes.
seen: set[tuple[str, str, str]] = set()


@app.post("/hooks/leanbe", status_code=204)
async def receive(envelope: Verified) -> None:
    """Answer quickly: how long Leanbe waits is not known. Long work belongs in a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return
    if handle := HANDLERS.get(envelope.event):  # all others are accepted, new ones too
        handle(envelope.payload)
    seen.add(key)


def idea_created(idea: dict[str, Any]) -> None:
    """Do what is yours to do."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}
