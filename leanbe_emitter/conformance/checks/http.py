"""HTTP: bodies that are no envelopes, and ways in which a right body may come."""

from collections.abc import Sequence

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, Make, Need, RequestCheck, judgement_of
from leanbe_emitter.conformance.report import Judgement, Level, Verdict
from leanbe_emitter.conformance.run_context import (
    ControlRefused,
    Group,
    RunContext,
    send_valid_requests,
)
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest
from leanbe_emitter.delivery.network.transport import WireFault

_LEVELS = 100_000
_BODY = b'{"payload":' + b"[" * _LEVELS + b"]" * _LEVELS + b',"event":"idea.created"}'


async def send_nesting(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the body between two controls.

    Raises:
        ControlRefused: the receiver refuses the second control.
    """
    await context.control()
    exchange = await context.client.send(context.sealer.raw(_BODY))
    after = await context.send(context.events.plain())
    for check in checks:
        if after.is_accepted:
            context.judge(check, judgement_of(exchange, Verdict.PASS))
        else:
            got = f"{exchange.in_words()}; the control after it: {after.in_words()}"
            context.judge(check, Judgement(verdict=Verdict.FAIL, got=got))
    context.confirm()
    if not after.is_accepted:
        raise ControlRefused(after)


_KIB = 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CRASH = "A body that is no envelope must be refused, not crash the receiver."
_SPLIT_SECONDS = 0.05


def _raw(body: bytes) -> Make:
    return lambda factory: factory.sealer.raw(body)


def _half(factory: RequestFactory) -> SampleRequest:
    whole = factory.sealer.request(factory.fresh()).body
    return factory.sealer.raw(whole[: len(whole) // 2])


def _broken_utf8(factory: RequestFactory) -> SampleRequest:
    event = factory.fresh()
    request = factory.sealer.request(event)
    token = event.token.encode()
    return request.with_body(request.body.replace(token, token[:-1] + b"\xff"))


def _with_charset(factory: RequestFactory) -> SampleRequest:
    request = factory.sealer.request(factory.events.plain())
    return request.with_header("Content-Type", "application/json; charset=utf-8")


def _long(size: int) -> Make:
    return lambda factory: factory.sealer.request(
        factory.events.plain().with_members(description="x" * size)
    )


def _split(factory: RequestFactory) -> SampleRequest:
    request = factory.sealer.request(factory.events.plain())
    return request.with_wire_fault(WireFault(body_seconds=_SPLIT_SECONDS))


def _put(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.request(factory.events.plain()).with_method("PUT")


def _with_mark(factory: RequestFactory) -> SampleRequest:
    request = factory.sealer.request(factory.events.plain())
    return request.with_body(_BYTE_ORDER_MARK + request.body)


def _refused(name: str, sends: str, make: Make) -> RequestCheck:
    return RequestCheck(
        id=f"http.{name}",
        level=Level.SHOULD,
        sends=sends,
        expects="4xx",
        why=_CRASH,
        fix=fixes.ANSWER_400,
        make=make,
    )


def _accepted(  # noqa: PLR0913 - the columns of a table
    name: str,
    level: Level,
    sends: str,
    make: Make,
    *,
    why: str,
    fix: fixes.Fix,
    needs: frozenset[Need] = frozenset(),
) -> RequestCheck:
    return RequestCheck(
        id=f"http.{name}",
        level=level,
        sends=sends,
        expects="2xx",
        why=why,
        fix=fix,
        make=make,
        needs=needs,
    )


NO_ENVELOPES = (
    _refused("bad_json", "the first half of a body", _half),
    _refused("empty", "an empty body", _raw(b"")),
    _refused("not_object", "a list instead of an object", _raw(b"[1]")),
    _refused("json_null", "null instead of an object", _raw(b"null")),
    _refused("invalid_utf8", "a byte in a text that is not UTF-8", _broken_utf8),
)

OTHER_REQUESTS = Group(
    checks=(
        _accepted(
            "charset",
            Level.SHOULD,
            "Content-Type: application/json; charset=utf-8",
            _with_charset,
            why="Nobody knows the exact header; many senders name the charset.",
            fix=fixes.TAKE_CHARSET,
        ),
        _accepted(
            "size_256k",
            Level.SHOULD,
            "a description of 256 KiB",
            _long(256 * _KIB),
            why="A long description is an ordinary one; a default limit of 100 kB refuses it.",
            fix=fixes.LARGER_LIMIT,
        ),
        _accepted(
            "split_body",
            Level.SHOULD,
            "a body in ten pieces",
            _split,
            why="A network may deliver a body in any pieces.",
            fix=fixes.READ_WHOLE_BODY,
            needs=frozenset({Need.NETWORK}),
        ),
        _accepted(
            "size_1m",
            Level.TOLD,
            "a description of 1 MB",
            _long(1_000_000),
            why="Leanbe's limit is not known.",
            fix=fixes.LARGER_LIMIT,
        ),
        _accepted(
            "method",
            Level.TOLD,
            "PUT instead of POST",
            _put,
            why="Leanbe's article does not name the method.",
            fix=fixes.LARGER_LIMIT,
        ),
        _accepted(
            "bom",
            Level.TOLD,
            "a byte order mark before the body",
            _with_mark,
            why="JSON begins without one.",
            fix=fixes.ANSWER_400,
        ),
    ),
    procedure=send_valid_requests,
)

NESTING = Group(
    checks=(
        Check(
            id="http.nesting",
            level=Level.SHOULD,
            sends="100 000 levels of lists, then the control",
            expects="any answer, and 2xx to the control",
            why="A deep body must not end the receiver for everybody else.",
            fix=fixes.LIMIT_NESTING,
        ),
    ),
    procedure=send_nesting,
)
