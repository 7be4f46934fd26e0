"""The whole list, in the order of a run, and the choice from it by ids and globs."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from leanbe_emitter.conformance.check import Check
from leanbe_emitter.conformance.checks.answers import LATENCY, LEAK
from leanbe_emitter.conformance.checks.compat import COMPAT
from leanbe_emitter.conformance.checks.control import GATE, PLAIN, STORY
from leanbe_emitter.conformance.checks.distinct_events import DISTINCT, SAME_PAYLOAD
from leanbe_emitter.conformance.checks.duplicates import DUPLICATES
from leanbe_emitter.conformance.checks.durability import DURABILITY
from leanbe_emitter.conformance.checks.http import NESTING, NO_ENVELOPES, OTHER_REQUESTS
from leanbe_emitter.conformance.checks.order import AFTER_DELETION, REVERSED
from leanbe_emitter.conformance.checks.serialise import SERIALISE
from leanbe_emitter.conformance.checks.signature import SIGNATURE, send_forgeries
from leanbe_emitter.conformance.run_context import Group
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.did_you_mean import did_you_mean

__all__ = ["CHECKS", "GATE", "GROUPS", "chosen"]

#: Everything that should be refused is sent together, and observed once.
FORGERIES = Group(checks=(*SIGNATURE, *NO_ENVELOPES), procedure=send_forgeries)
#: All groups, in the order in which they are performed. What may end the receiver comes last.
GROUPS: Sequence[Group] = (
    PLAIN,
    FORGERIES,
    STORY,
    SERIALISE,
    COMPAT,
    OTHER_REQUESTS,
    DUPLICATES,
    DISTINCT,
    SAME_PAYLOAD,
    REVERSED,
    AFTER_DELETION,
    LATENCY,
    LEAK,
    NESTING,
    DURABILITY,
)
#: All checks.
CHECKS: Sequence[Check] = tuple(check for group in GROUPS for check in group.checks)


def chosen(wanted: Iterable[str] = (), *, exclude: Iterable[str] = ()) -> tuple[Check, ...]:
    """Return the checks with these ids; none means all.

    Args:
        wanted: ids, or globs such as ``signature.*``.
        exclude: ids or globs of checks to leave out.

    Raises:
        InvalidValue: an id or glob matches no check; the hint names the nearest. Or nothing is
            left.
    """
    left_out = {check.id for glob in exclude for check in _matching(glob)}
    found = {check.id for glob in wanted for check in _matching(glob)}
    checks = tuple(
        check for check in CHECKS if check.id not in left_out and (not found or check.id in found)
    )
    if not checks:
        raise InvalidValue("No check is left.", hint="Leave out fewer of them.")
    return checks


def _matching(glob: str) -> tuple[Check, ...]:
    # The brackets of an id are no set of characters.
    pattern = glob.replace("[", "[[]")
    found = tuple(check for check in CHECKS if fnmatchcase(check.id, pattern))
    if not found:
        suggestion = did_you_mean(glob, [check.id for check in CHECKS])
        raise InvalidValue(
            f"No check matches {glob!r}.",
            hint=suggestion or "Use an id or a glob such as 'signature.*'; --list shows them.",
        )
    return found
