"""An instant is printed in one way only, by the reading of the product (contract d-4).

Invariant: milliseconds are cut off, never rounded, so that a printed instant is never later than
the instant itself; there are always three digits of them. What is printed is read strictly; what
people write, in any form of RFC 3339.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import TriggeredAt
from leanbe_emitter.wire.durations import parse_duration

_PRINTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_GIVEN = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
    re.ASCII | re.IGNORECASE,
)
#: As many as a datetime can be.
_ALL_INSTANTS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def print_instant(instant: datetime, style: TriggeredAt = TriggeredAt.UTC) -> str:
    """Return the instant as ``triggeredAt`` shows it (contract d-4).

    Args:
        instant: an aware datetime, in any zone.
        style: UTC with ``Z``; the wall clock of Los Angeles with a wrong ``Z``; or that wall clock
            with its true offset. Both of the latter know summer and winter time.

    Raises:
        InvalidValue: the datetime is naive, so that it names no instant.
    """
    if instant.utcoffset() is None:
        raise InvalidValue(f"{instant!r} names no instant: it has no zone.", hint="Give it one.")
    if style is TriggeredAt.LA_OFFSET:
        return _in_los_angeles(instant).isoformat(timespec="milliseconds")
    local = instant.astimezone(UTC) if style is TriggeredAt.UTC else _in_los_angeles(instant)
    return local.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def print_milliseconds(milliseconds: int, style: TriggeredAt = TriggeredAt.UTC) -> str:
    """Print the instant of so many milliseconds since 1970; many of one second cost little."""
    seconds, rest = divmod(milliseconds, 1000)
    if style is TriggeredAt.UTC:
        return f"{_to_the_second(seconds)}.{rest:03d}Z"
    return print_instant(_EPOCH + timedelta(milliseconds=milliseconds), style)


@lru_cache(maxsize=64)
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def parse_instant(text: str) -> datetime:
    """Return the aware UTC datetime of a text like ``2023-06-29T06:56:57.472Z``, and no other form.

    Raises:
        InvalidValue: the text has another form, or names a day or time that does not exist.
    """
    try:
        if not _PRINTED.fullmatch(text):
            raise ValueError  # noqa: TRY301 - one refusal for the form and for days like 30 February
        return datetime.fromisoformat(text)
    except ValueError:
        raise _no_instant(text) from None


def parse_given_instant(
    text: str, *, within: tuple[datetime, datetime] = _ALL_INSTANTS
) -> datetime:
    """Return the aware UTC datetime of a text that somebody wrote, in any form of RFC 3339.

    A fraction of a second may be left out; what is finer than a millisecond is cut off.

    Args:
        text: what was written.
        within: from when, and until before when, it may be: the beginnings of years, in UTC.

    Raises:
        InvalidValue: the text has another form, names a day or time that does not exist, or an
            instant that it may not be.
    """
    if not _GIVEN.fullmatch(text):
        raise _no_instant(text)
    if text.startswith("0000"):
        raise _out_of_range(text, within)
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        raise _no_instant(text) from None
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        raise _out_of_range(text, within) from None
    instant = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    if not within[0] <= instant < within[1]:
        raise _out_of_range(text, within)
    return instant


def parse_since(text: str) -> float | datetime:
    """Parse the value of a ``since`` filter: an instant, or how many seconds ago it was.

    Raises:
        InvalidValue: the text is neither an instant nor a duration.
    """
    if "t" in text.lower():
        return parse_given_instant(text)
    try:
        return parse_duration(text)
    except InvalidValue as error:
        hint = f"{error.hint} Or write an instant like 2026-11-26T00:00:00Z."
        raise InvalidValue(error.message, hint=hint) from None


def _no_instant(text: str) -> InvalidValue:
    return InvalidValue(f"{text!r} is no instant.", hint="Write it like 2023-06-29T06:56:57.472Z.")


def _out_of_range(text: str, within: tuple[datetime, datetime]) -> InvalidValue:
    first, last = within[0].year, (within[1] - timedelta.resolution).year
    return InvalidValue(
        f"{text!r} is out of range.", hint=f"Its year, in UTC, has to be {first:04d} to {last}."
    )


def _in_los_angeles(instant: datetime) -> datetime:
    # Receivers import this folder to verify; only the other readings of d-4 need the zone's rules.
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed by few, slow to load

    return instant.astimezone(ZoneInfo("America/Los_Angeles"))
