"""Synthetic events: the catalogue's sample payloads, with the caller's changes (``trigger``).

They touch no domain state. Several events asked for at once speak of one and the same document.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.reading import AssumptionSet
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.payloads.paths import change
from leanbe_emitter.wire.samples.story import Story
from leanbe_emitter.wire.stringify import JSON, stringify

if TYPE_CHECKING:
    from leanbe_emitter.library.deliveries.delivery import DeliveryRef
    from leanbe_emitter.library.setup.product import ProductRef


class Sample(Enum):
    """Stands where no payload was given: ``None`` is a payload, too."""

    OF_THE_CATALOGUE = "sample"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What the caller wants to be different from the sample.

    Attributes:
        set: text by path (``country.countryCode``).
        set_json: any JSON value by path.
        unset: paths whose keys are to be missing.
        payload: a whole payload instead of the sample; the changes are made to it.
        is_strict: whether the payload has to match the event's schema.
    """

    set: Mapping[str, str] = field(default_factory=dict)
    set_json: Mapping[str, JSON] = field(default_factory=dict)
    unset: Sequence[str] = ()
    payload: JSON | Sample = Sample.OF_THE_CATALOGUE
    is_strict: bool = False


NO_CHANGES = Changes()


@dataclass(frozen=True, kw_only=True)
class TriggerRequest:
    """Synthetic events that are asked for: all of one document, in this order.

    Attributes:
        events: names of the 22.
        product: whose events they are. If none is named: the product of ``same_as``, or the only
            one there is.
        changes: how the payloads differ from the samples.
        same_as: a delivery whose document they go on with.
        times: how often, each time with a document of its own.
        assume: assumptions for these requests alone (contract d).
    """

    events: Sequence[str]
    product: "ProductRef | None" = None
    changes: Changes = NO_CHANGES
    same_as: "DeliveryRef | None" = None
    times: int = 1
    assume: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """A synthetic event that is not recorded yet: its name, its payload as text, and its age."""

    name: str
    payload_text: str
    document_updated_at: int


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who writes payloads: for which product, how it reads the article, within which limits."""

    product: Mapping[str, JSON]
    owner: Mapping[str, JSON]
    reading: AssumptionSet
    ids: Ids
    now: datetime
    max_depth: int
    max_payload_bytes: int

    def write(
        self,
        names: Sequence[str],
        changes: Changes,
        *,
        same_as: tuple[str, Mapping[str, JSON]] | None = None,
    ) -> list[Synthetic]:
        """Return the events of these names, all of one document.

        Args:
            names: event names, in order.
            changes: made to each of the payloads.
            same_as: an earlier event's name and payload, whose document is to be gone on with.

        Raises:
            InvalidValue: an unknown event, a wrong path, a payload that does not match.
            PayloadTooLarge: a payload is longer than the limit.
            PayloadTooDeep: a payload is nested deeper than the limit.
        """
        for name in names:
            event_kind(name)
        story = self._story(same_as)
        return [self._write(story, name, changes) for name in names]

    def _story(self, same_as: tuple[str, Mapping[str, JSON]] | None) -> Story:
        told: dict[str, Any] = {
            "product": self.product,
            "ids": self.ids,
            "now": self.now,
            "owner": self.owner,
            "reading": self.reading,
        }
        if same_as is None:
            return Story(**told)
        name, payload = same_as
        return Story.about(payload, event=name, **told)

    def _write(self, story: Story, name: str, changes: Changes) -> Synthetic:
        given = changes.payload
        sample = story.payload(name) if isinstance(given, Sample) else None
        payload = self._changed(sample if isinstance(given, Sample) else given, name, changes)
        if changes.is_strict:
            check_payload(payload, event=name, reading=self.reading)
        return Synthetic(
            name=name,
            payload_text=stringify(
                payload, max_depth=self.max_depth, max_bytes=self.max_payload_bytes
            ),
            # Never later than now: a date far ahead that somebody sets, here or in the document
            # that is gone on with, must not drag the product's triggeredAt along.
            document_updated_at=min(_updated_at(sample), to_milliseconds(self.now)),
        )

    def _changed(self, payload: JSON, name: str, changes: Changes) -> JSON:
        if not (changes.set or changes.set_json or changes.unset):
            return payload
        if not isinstance(payload, dict):
            raise InvalidValue(
                f"The payload that was given is {_kind_of(payload)}: nothing can be set or unset "
                "in it.",
                hint="Give it as it is to be, without set and unset; or give an object.",
            )
        try:
            return change(
                payload,
                event=name,
                reading=self.reading,
                set=changes.set,
                set_json=changes.set_json,
                unset=changes.unset,
            )
        except InvalidValue as error:
            if isinstance(changes.payload, Sample):
                raise
            raise InvalidValue(
                f"In the payload that was given, something cannot be set or unset: {error.message}",
                hint=Hint.same("Write it into that payload itself.").then(error.hints),
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


def check_payload(payload: JSON, *, event: str, reading: AssumptionSet) -> None:
    """See whether a payload matches its event's schema, as the product reads the article.

    Raises:
        InvalidValue: it does not; the message names the place and what is wrong there.
    """
    # Needed by few, and slow to load.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    from leanbe_emitter.wire.payloads.schema import json_schema  # noqa: PLC0415

    validator = Draft202012Validator(json_schema(event, reading))
    errors = sorted(validator.iter_errors(payload), key=lambda error: error.json_path)
    if errors:
        raise InvalidValue(
            f"The payload does not match {event}: {errors[0].json_path}: {errors[0].message}",
            hint=f"See the schema of {event}. Where nobody asks to be strict, anything is sent.",
        )


def document_of(payload_text: str) -> dict[str, JSON]:
    """Return a recorded payload as the document it is, to go on with it.

    Raises:
        InvalidValue: it is no object, so that there is no document to go on with.
    """
    payload = json.loads(payload_text)
    if not isinstance(payload, dict):
        raise InvalidValue("That delivery's payload is no object.", hint="Name another one.")
    return payload


def _updated_at(sample: Mapping[str, JSON] | None) -> int:
    text = sample.get("updatedAt") if sample else None
    return to_milliseconds(parse_instant(text)) if isinstance(text, str) else 0
