"""Bodies of all 22 events, as the program emits them."""

import json
from collections.abc import Mapping
from functools import cache

from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.example_envelopes import ENVELOPES


def emitted_bodies(assume: Mapping[str, str] | None = None) -> list[str]:
    """Return the samples of the 22 events under assumptions, and the examples of one story."""
    return [*_samples(tuple((assume or {}).items())), *([] if assume else _examples())]


@cache
def _samples(assume: tuple[tuple[str, str], ...]) -> list[str]:
    with Leanbe(seed="types") as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:8000/hooks/leanbe")
        request = TriggerRequest(events=EVENT_NAMES, assume=dict(assume))
        return [each.body.decode() for each in leanbe.dry_run(request)]


def _examples() -> list[str]:
    return [json.dumps(each, ensure_ascii=False) for each in ENVELOPES]
