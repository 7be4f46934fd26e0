"""Forged signatures. All of them are refused, or else anybody can send events.

They are sent together, and observed once. Only if something changed are they sent again, one by
one, to find those that had an effect. An observation costs most of a run's time, and nearly all
receivers refuse nearly all forgeries.
"""

from collections.abc import Mapping, Sequence

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, Make, RequestCheck, judge_forgery
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.report import Level
from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest
from leanbe_emitter.wire.faults.bodies import TAMPERED, WRONG_SECRET
from leanbe_emitter.wire.stringify import JSON

_Found = Mapping[str, tuple[Exchange, bool | None]]


async def send_forgeries(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the forgery of each check."""
    forgeries = [check for check in checks if isinstance(check, RequestCheck)]
    graded = [check for check in forgeries if check.level is not Level.TOLD]
    told = [check for check in forgeries if check.level is Level.TOLD]
    found = await _together(context, graded)
    if any(has_effect for _, has_effect in found.values()):
        found = await _one_by_one(context, graded)
    # An effect of these is no finding, and must not look like an effect of the others.
    told_of = {check.id: (await _send(context, check), None) for check in told}
    for check in forgeries:
        exchange, has_effect = (found | told_of)[check.id]
        context.judge(check, judge_forgery(exchange, has_effect=has_effect))


async def _together(
    context: RunContext, checks: Sequence[RequestCheck]
) -> dict[str, tuple[Exchange, bool | None]]:
    before = await context.at_rest()
    exchanges = [await _send(context, check) for check in checks]
    has_effect = await _has_effect(context, before)
    return {
        check.id: (exchange, has_effect) for check, exchange in zip(checks, exchanges, strict=True)
    }


async def _one_by_one(
    context: RunContext, checks: Sequence[RequestCheck]
) -> dict[str, tuple[Exchange, bool | None]]:
    found: dict[str, tuple[Exchange, bool | None]] = {}
    for check in checks:
        before = await context.at_rest()
        exchange = await _send(context, check)
        found[check.id] = (exchange, await _has_effect(context, before))
    return found


async def _send(context: RunContext, check: RequestCheck) -> Exchange:
    return await context.send_forgery(check.make(context.factory))


async def _has_effect(context: RunContext, before: object) -> bool | None:
    """Return whether something changed; None if nothing would show an effect."""
    if not context.shows_effects:
        return None
    return bool(await context.at_rest() != before)


_FORGED = "Anybody who knows the URL can send events in Leanbe's name."
_PREFIX = "It compares a part only: the rest can be guessed, digit by digit."
_TYPE = "A signature of another type must not crash the comparison, nor pass it."

#: Signatures that are no text, or not in ASCII, by the word for them.
_TYPES: dict[str, JSON] = {
    "null": None,
    "number": 1234567890,
    "true": True,
    "list": [],
    "object": {},
    "non_ascii": "é" * 64,
}


def _unsigned(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.unsigned(factory.fresh())


def _wrongly_signed(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.request(factory.fresh(), secret=WRONG_SECRET)


def _signed_with_nothing(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.request(factory.fresh(), secret="")


def _tampered(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.with_payload_behind(factory.fresh(), _with_other_title)


def _with_other_title(payload: JSON) -> JSON:
    key = "title" if "title" in payload else "email"
    return {**payload, key: payload[key] + TAMPERED}


def _with_member(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.with_payload_behind(
        factory.fresh(), lambda payload: {**payload, "isAdmin": True}
    )


def _truncated(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.with_signature(factory.fresh(), lambda digits: digits[:-1])


def _empty(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.with_signature(factory.fresh(), lambda _: "")


def _upper(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.with_signature(factory.fresh(), str.upper)


def _check(  # noqa: PLR0913 - the columns of a table
    name: str,
    sends: str,
    make: Make,
    *,
    level: Level = Level.MUST,
    why: str = _FORGED,
    fix: fixes.Fix = fixes.VERIFY_FIRST,
) -> RequestCheck:
    return RequestCheck(
        id=f"signature.{name}", level=level, sends=sends, expects="4xx", why=why, fix=fix, make=make
    )


def _of_type(word: str, value: JSON) -> RequestCheck:
    return _check(
        f"type[{word}]",
        f"a signature that is {word.replace('_', '-')}",
        lambda factory: factory.sealer.with_signature(factory.fresh(), lambda _: value),
        why=_TYPE,
        fix=fixes.COMPARE_WHOLE,
    )


SIGNATURE = (
    _check("missing", "no signature", _unsigned),
    _check("wrong_secret", "a signature by another secret", _wrongly_signed),
    _check("tampered", "a payload that was changed after it was signed", _tampered),
    _check("added_member", "a payload with a member more than was signed", _with_member),
    _check(
        "truncated",
        "the first 63 digits of the signature",
        _truncated,
        why=_PREFIX,
        fix=fixes.COMPARE_WHOLE,
    ),
    _check("empty", "an empty signature", _empty, why=_PREFIX, fix=fixes.COMPARE_WHOLE),
    *(_of_type(word, value) for word, value in _TYPES.items()),
    _check(
        "empty_secret",
        "a signature by an empty secret",
        _signed_with_nothing,
        why="An empty secret, as behind the last comma of a list, lets anybody sign.",
        fix=fixes.NO_EMPTY_SECRET,
    ),
    _check(
        "upper_hex",
        "the signature in upper case",
        _upper,
        level=Level.TOLD,
        why="Leanbe writes lower case.",
    ),
)
