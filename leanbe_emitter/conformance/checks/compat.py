"""Checks of events that Leanbe may send: new events, more members, fewer members."""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Make, RequestCheck
from leanbe_emitter.conformance.report import Level
from leanbe_emitter.conformance.run_context import Group, send_valid_requests
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest
from leanbe_emitter.wire.event_names import EVENTS
from leanbe_emitter.wire.faults.bodies import UNKNOWN_ACTION, UNKNOWN_FIELD

_KINDS = tuple(dict.fromkeys(event.resource for event in EVENTS))


def _unknown_event(factory: RequestFactory) -> SampleRequest:
    event = factory.events.plain()
    return factory.sealer.request(event.named(f"idea.{UNKNOWN_ACTION}"))


def _added_member(factory: RequestFactory) -> SampleRequest:
    name, value = UNKNOWN_FIELD
    return factory.sealer.request(factory.events.plain().with_members(**{name: value}))


def _nulls(factory: RequestFactory) -> SampleRequest:
    return factory.sealer.request(factory.events.with_nulls("idea.created"))


def _minimal(kind: str) -> Make:
    return lambda factory: factory.sealer.request(factory.events.minimal(f"{kind}.created"))


def _check(  # noqa: PLR0913 - the columns of a table
    name: str, level: Level, sends: str, make: Make, *, why: str, fix: fixes.Fix
) -> RequestCheck:
    return RequestCheck(
        id=f"compat.{name}", level=level, sends=sends, expects="2xx", why=why, fix=fix, make=make
    )


COMPAT = Group(
    checks=(
        _check(
            "unknown_event",
            Level.SHOULD,
            f"idea.{UNKNOWN_ACTION}, which does not exist",
            _unknown_event,
            why="A new kind of event would be refused and tried again, for nothing.",
            fix=fixes.ACCEPT_UNKNOWN,
        ),
        _check(
            "added_member",
            Level.SHOULD,
            "a payload with a member that no event has today",
            _added_member,
            why="The first member that Leanbe adds would stop all events.",
            fix=fixes.IGNORE_OTHER_MEMBERS,
        ),
        _check(
            "null",
            Level.SHOULD,
            "null for each member that may be missing",
            _nulls,
            why="Nobody knows whether Leanbe leaves a member out or writes null.",
            fix=fixes.READ_WHAT_IS_THERE,
        ),
        *(
            _check(
                f"minimal[{kind}]",
                Level.MUST,
                f"{kind}.created without the members that may be missing",
                _minimal(kind),
                why="A document without a description is an ordinary document.",
                fix=fixes.READ_WHAT_IS_THERE,
            )
            for kind in _KINDS
        ),
    ),
    procedure=send_valid_requests,
)
