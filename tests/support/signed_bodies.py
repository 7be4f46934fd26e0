"""Bodies of requests for receivers, signed with the secret of the running snippets."""

import itertools

from leanbe_emitter import sign, stringify
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.signing import sign_text
from leanbe_emitter.wire.stringify import parse
from tests.support.running_snippets import SECRET
from tests.support.serialiser_table import TABLE

PAYLOAD = {"_id": "64a28ec49c3a1954e6a2e504", "title": "Dark mode, née «Noir» 🌒", "score": 1.0}
#: Payloads that serialisers write in different ways, as Leanbe writes them.
HARD = [
    # PHP cannot read a half of a surrogate pair, and Leanbe's documents have none.
    *(
        stringify(parse(each["text"]))
        for each in TABLE["texts"]
        if each["name"] not in {"lone surrogate", *EVENT_NAMES}
    ),
    '{"title":"\\",\\"event\\":\\"","more":[{"event":1,"payload":{"payload":{}}}],"event":{}}',
]

_milliseconds = itertools.count()


def body(
    payload: object = PAYLOAD,
    *,
    event: object = "idea.created",
    secret: str = SECRET,
    **more: object,
) -> bytes:
    """Return a signed body of an event of its own.

    Args:
        payload: the payload.
        event: the event's name.
        secret: the secret that signs it.
        more: members that replace the usual ones; ``...`` leaves one out.
    """
    envelope = {
        "payload": payload,
        "event": event,
        "triggeredAt": f"2026-11-24T14:02:11.{next(_milliseconds):03}Z",
        "signature": sign(payload, secret),
        **more,
    }
    return stringify({name: value for name, value in envelope.items() if value is not ...}).encode()


def sealed(text: str, event: str = "idea.exploded") -> bytes:
    """Return a signed body with a payload's text."""
    signed = f'"triggeredAt":"2026-11-24T14:02:12.123Z","signature":"{sign_text(text, SECRET)}"'
    return f'{{"payload":{text},"event":"{event}",{signed}}}'.encode()
