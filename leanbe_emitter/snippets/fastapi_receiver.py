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
# Before it calls receive, verified answers 401 to wrong signatures and 400 to other bodies.
Verified = Annotated[Envelope, Depends(verified(os.environ["LEANBE_WEBHOOK_SECRET"]))]

# The same event may come twice. Leanbe sends no id with it, but three members identify an event:
# store them in your database, under a unique key, in the transaction that handles the event.
seen: set[tuple[str, str, str]] = set()


@app.post("/hooks/leanbe", status_code=204)
async def receive(envelope: Verified) -> None:
    """Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue."""
    key = (envelope.event, envelope.triggered_at, envelope.signature)
    if key in seen:
        return
    if handle := HANDLERS.get(envelope.event):  # accept all other events, also new ones
        handle(envelope.payload)
    seen.add(key)


def idea_created(idea: dict[str, Any]) -> None:
    """Replace this by your own code."""
    print("new idea:", idea["title"])


HANDLERS = {"idea.created": idea_created}
