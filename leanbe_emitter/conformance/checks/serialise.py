"""Payloads that serialisers of other languages write differently from ``JSON.stringify``."""

from collections.abc import Mapping

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Make, RequestCheck
from leanbe_emitter.conformance.report import Level
from leanbe_emitter.conformance.run_context import Group, send_valid_requests
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest
from leanbe_emitter.wire.stringify import JSON

_TEXT = "é ø 你好 🌙 \u2028 \u007f \"double\" 'single' \\ \t"
_HTML = "<b>Dark &amp; light</b> / <i>more</i>"
_REFUSED = "A receiver that writes the payload anew hashes another text, and refuses the event."


def _idea(**members: JSON) -> Make:
    def make(factory: RequestFactory) -> SampleRequest:
        return factory.sealer.request(factory.events.plain().with_members(**members))

    return make


def _customer(image: Mapping[str, JSON], **members: JSON) -> Make:
    """Return a customer with this image, an object in which anything may stand."""

    def make(factory: RequestFactory) -> SampleRequest:
        event = factory.events.plain("customer.created")
        return factory.sealer.request(event.with_members(image=dict(image), **members))

    return make


def _okr(*values: float) -> Make:
    """Return an OKR whose key result starts, stands and ends at these values."""

    def make(factory: RequestFactory) -> SampleRequest:
        event = factory.events.plain("okr.created")
        start, current, target = values
        result = {
            **event.payload["keyResults"][0],
            "startValue": start,
            "currentValue": current,
            "targetValue": target,
        }
        return factory.sealer.request(event.with_members(keyResults=[result]))

    return make


def _indented(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.indented(factory.events.plain())


def _reordered(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.reordered(factory.events.plain())


def _check(name: str, level: Level, sends: str, make: Make) -> RequestCheck:
    return RequestCheck(
        id=f"serialise.{name}",
        level=level,
        sends=sends,
        expects="2xx",
        why=_REFUSED,
        fix=fixes.HASH_AS_IT_CAME,
        make=make,
    )


SERIALISE = Group(
    checks=(
        _check(
            "text",
            Level.MUST,
            "accents, CJK, emoji, U+2028, U+007F, quotes",
            _idea(description=_TEXT),
        ),
        _check("html", Level.MUST, "<b>&amp;</b>/", _idea(descriptionHTML=_HTML)),
        _check(
            "empty",
            Level.MUST,
            "empty objects and lists, one in another",
            _customer({"sizes": {}, "tags": []}, devices=[], notes=[]),
        ),
        _check(
            "keys",
            Level.SHOULD,
            "keys that are numbers, unsorted or empty",
            _customer({"2": 1, "10": 2, "b": 3, "a": 4, "": 5}),
        ),
        _check("decimals", Level.SHOULD, "0.5", _okr(0.5, 1, 2.25)),
        _check("exponents", Level.TOLD, "1e-7 and 1e+21", _okr(1e-7, 1, 1e21)),
        _check("pretty_body", Level.TOLD, "an indented body", _indented),
        _check("member_order", Level.TOLD, "the signature as the first member", _reordered),
    ),
    procedure=send_valid_requests,
)
