"""Synthetic events for ``trigger``: the catalogue's sample payloads, with the caller's changes.

Synthetic events change no document. The events of one request describe the same document.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue, PayloadTooLarge, check_type
from leanbe_emitter.hints import Hint
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import NewEvent
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.payloads.payload_paths import change
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON, stringify

if TYPE_CHECKING:
    from leanbe_emitter.library.deliveries.delivery import DeliveryRef
    from leanbe_emitter.library.setup.product import ProductRef


class Sample(Enum):
    """The default of ``payload``: use the sample. ``None`` would be a payload."""

    OF_THE_CATALOGUE = "sample"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes that the caller makes to the sample payload.

    Attributes:
        set: text by path (``country.countryCode``).
        set_json: any JSON value by path.
        unset: paths whose keys are removed.
        payload: a whole payload instead of the sample; the other changes are made to it.
        is_strict: whether the payload must match the event's schema.
    """

    set: Mapping[str, str] = field(default_factory=dict)
    set_json: Mapping[str, JSON] = field(default_factory=dict)
    unset: Sequence[str] = ()
    payload: JSON | Sample = Sample.OF_THE_CATALOGUE
    is_strict: bool = False

    def __post_init__(self) -> None:
        for name, values in (("set", self.set), ("set_json", self.set_json)):
            check_type(values, Mapping, what=name, words='a dict by path: {"title": "Dark mode"}')
        check_type(self.unset, list, tuple, what="unset", words='a list of paths: ["assigned"]')
        for path in (*self.set, *self.set_json, *self.unset):
            check_type(path, str, what="A path", words="text, such as title or owner.email")


NO_CHANGES = Changes()


@dataclass(frozen=True, kw_only=True)
class TriggerLimits:
    """Limits of one request, which records all of its events or none.

    Attributes:
        max_events: the most events.
        max_bytes: the most bytes of all payloads, in UTF-8.
    """

    max_events: int
    max_bytes: int

    def check_events(self, count: int) -> None:
        """Check the number of events; raise ``PayloadTooLarge`` if there are too many."""
        if count > self.max_events:
            raise PayloadTooLarge(f"The request is for {count} events.", hint=self._hint())

    def check_bytes(self, count: int) -> None:
        """Check the bytes so far; raise ``PayloadTooLarge`` if there are too many."""
        if count > self.max_bytes:
            raise PayloadTooLarge(
                f"The payloads of the request's events have more than {self.max_bytes} bytes.",
                hint=self._hint(),
            )

    def _hint(self) -> str:
        return (
            f"A request makes at most {self.max_events} events with {self.max_bytes} bytes of "
            "payloads. Send several requests."
        )


@dataclass(frozen=True, kw_only=True)
class TriggerRequest:
    """A request for synthetic events, all of one document and in this order.

    Attributes:
        events: event names, out of the 22.
        product: the product of the events. Default: the product of ``same_as``, or the only
            product.
        changes: how the payloads differ from the samples.
        same_as: a delivery; the events describe its document instead of a new one.
        times: how often the events are recorded, each time with a new document.
        assume: assumptions for these requests alone.
        limits: the most events and bytes of payloads; by default there is no limit.
    """

    events: Sequence[str]
    product: "ProductRef | None" = None
    changes: Changes = NO_CHANGES
    same_as: "DeliveryRef | None" = None
    times: int = 1
    limits: TriggerLimits | None = None
    assume: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_type(self.events, list, tuple, what="events", words='a list: ["idea.created"]')
        check_type(self.changes, Changes, what="changes", words='Changes(set={"title": "..."})')
        check_type(self.times, int, what="times", words="a whole number")
        check_type(self.assume, Mapping, what="assume", words='a dict: {"max_attempts": "3"}')


@dataclass(frozen=True, kw_only=True)
class Author:
    """Writes synthetic events, for one product and within limits.

    Attributes:
        changes: changes that are made to each payload.
    """

    changes: Changes
    product: Mapping[str, JSON]
    owner: Mapping[str, JSON]
    assumptions: AssumptionSet
    request_assumptions: Mapping[str, str]
    ids: Ids
    now: datetime
    max_depth: int
    max_payload_bytes: int

    def write(
        self, names: Sequence[str], *, same_as: tuple[str, Mapping[str, JSON]] | None = None
    ) -> Iterator[NewEvent]:
        """Yield the events of these names, all of one document.

        Args:
            names: event names, in order.
            same_as: the name and payload of an earlier event; the events describe its document.

        Raises:
            InvalidValue: an unknown event, a wrong path, or a payload that does not match.
            PayloadTooLarge: a payload is longer than the limit.
            PayloadTooDeep: a payload is nested deeper than the limit.
        """
        for name in names:
            event_kind(name)
        samples = self._samples(same_as)
        for name in names:
            yield self._write(samples, name)

    def _samples(self, same_as: tuple[str, Mapping[str, JSON]] | None) -> SamplePayloads:
        arguments: dict[str, Any] = {
            "product": self.product,
            "ids": self.ids,
            "now": self.now,
            "owner": self.owner,
            "assumptions": self.assumptions,
        }
        if same_as is None:
            return SamplePayloads(**arguments)
        name, payload = same_as
        return SamplePayloads.continuing(payload, event=name, **arguments)

    def _write(self, samples: SamplePayloads, name: str) -> NewEvent:
        given = self.changes.payload
        sample = samples.payload(name) if isinstance(given, Sample) else None
        payload = self._changed(sample if isinstance(given, Sample) else given, name)
        if self.changes.is_strict:
            check_payload(payload, event=name, assumptions=self.assumptions)
        return NewEvent(
            product_id=str(self.product["_id"]),
            name=name,
            assumptions=self.request_assumptions,
            payload_text=self._given_text if payload is given else self._text(payload),
            # Never later than now: a date in the future, set here or in the earlier document, must
            # not move the product's triggeredAt into the future.
            document_updated_at=min(_updated_at(sample), to_milliseconds(self.now)),
        )

    def _text(self, payload: JSON) -> str:
        return stringify(payload, max_depth=self.max_depth, max_bytes=self.max_payload_bytes)

    @cached_property
    def _given_text(self) -> str:
        """The text of a whole payload that the caller gave: once for all events."""
        return self._text(self.changes.payload)

    def _changed(self, payload: JSON, name: str) -> JSON:
        changes = self.changes
        if not (changes.set or changes.set_json or changes.unset):
            return payload
        if not isinstance(payload, dict):
            raise InvalidValue(
                f"The given payload is {_kind_of(payload)}: set and unset need an object.",
                hint="Give the final payload without set and unset, or give an object.",
            )
        try:
            return change(
                payload,
                event=name,
                assumptions=self.assumptions,
                set=changes.set,
                set_json=changes.set_json,
                unset=changes.unset,
            )
        except InvalidValue as error:
            if isinstance(changes.payload, Sample):
                raise
            raise InvalidValue(
                f"The given payload cannot be changed: {error.message}",
                hint=Hint.same("Change the payload before you give it.").then(error.hints),
            ) from None


def _kind_of(payload: JSON) -> str:
    match payload:
        case None:
            return "null"
        case str():
            return "a text"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case _:
            return "a list"


def check_payload(payload: JSON, *, event: str, assumptions: AssumptionSet) -> None:
    """Check that a payload matches its event's schema under the product's assumptions.

    Raises:
        InvalidValue: the payload does not match; the message names the place and the error.
    """
    # Few callers need it, and it is slow to import.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    from leanbe_emitter.wire.payloads.schema import json_schema  # noqa: PLC0415

    validator = Draft202012Validator(json_schema(event, assumptions))
    errors = sorted(validator.iter_errors(payload), key=lambda error: error.json_path)
    if errors:
        raise InvalidValue(
            f"The payload does not match {event}: {errors[0].json_path}: {errors[0].message}",
            hint=f"See the schema of {event}. Without the strict check, any payload is sent.",
        )


def document_of(payload_text: str) -> dict[str, JSON]:
    """Return a recorded payload as a document that further events can describe.

    Raises:
        InvalidValue: the payload is no object.
    """
    payload = json.loads(payload_text)
    if not isinstance(payload, dict):
        raise InvalidValue(
            "The payload of that delivery is no object.", hint="Name another delivery."
        )
    return payload


def _updated_at(sample: Mapping[str, JSON] | None) -> int:
    text = sample.get("updatedAt") if sample else None
    return to_milliseconds(parse_instant(text)) if isinstance(text, str) else 0
