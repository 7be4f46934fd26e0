"""Events that receivers are asked with: the samples of an idea and a customer, and harder ones.

An idea and a customer show most mistakes: a customer has an empty object, which some serialisers
turn into a list. The harder ones tell all serialisers apart, as far as any payload can.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.explain.probe_requests import ProbeEvent
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON, stringify

#: Characters that serialisers escape, each in another way.
_TEXT = 'Zoë "Łódź" <b>50 %</b> & it\'s 1/2 \u2028 \U0001f680 \x7f'
#: Values that serialisers write in different ways: numbers, empty values, keys in an odd order.
_VALUES: Mapping[str, JSON] = {
    "10": 1,
    "zero": {},
    "empty": [],
    "none": None,
    "list": {"0": 0, "1": 0.5},
    "numbers": [1e21, 1e-7, 1.5e300, 1e16, 12345678901234567890, 12345678.9, 0.00001, 100],
    "digits": "0012.50",
    "instant": "2026-01-01T00:00:00.100Z",
}


@dataclass(frozen=True, kw_only=True)
class ProbeEvents:
    """The events of one probe.

    Attributes:
        asked: those that the receiver is asked with, one after the other until it refuses one.
        hard: those that tell apart serialisers which write the same in an ordinary event.
    """

    asked: tuple[ProbeEvent, ...]
    hard: tuple[ProbeEvent, ...]


def sample_events(
    *, product: Mapping[str, JSON], ids: Ids, now: datetime, assumptions: AssumptionSet
) -> ProbeEvents:
    """Return samples, the ordinary ones first."""
    samples = SamplePayloads(product=product, ids=ids, now=now, assumptions=assumptions)
    idea, customer = samples.payload("idea.created"), samples.payload("customer.created")
    texts: dict[str, JSON] = {**idea, "title": _TEXT}
    hard = (
        _event("idea.created", {**texts, "unusual": {**_VALUES}}, is_ordinary=False),
        _event("idea.created", texts, is_ordinary=False),
    )
    ordinary = (_event("idea.created", idea), _event("customer.created", customer))
    return ProbeEvents(asked=(*ordinary, *reversed(hard)), hard=hard)


def events_of(event: ProbeEvent, samples: ProbeEvents) -> ProbeEvents:
    """Return the events of a probe that asks about one event."""
    return ProbeEvents(asked=(event,), hard=samples.hard)


def _event(name: str, payload: JSON, *, is_ordinary: bool = True) -> ProbeEvent:
    return ProbeEvent(name=name, payload_text=stringify(payload), is_ordinary=is_ordinary)
