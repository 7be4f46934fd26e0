"""Print and parse instants, such as ``triggeredAt`` (contract d-4).

Invariant: a printed instant has three digits of milliseconds, cut off and never rounded, so that it
is never later than the instant. ``parse_instant`` takes only the printed form; the
parsers for users' texts take any form of RFC 3339.
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
#: What begins like this is meant as an instant.
_YEAR = re.compile(r"\d+-", re.ASCII)
#: The range of datetime.
_ALL_INSTANTS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def print_instant(instant: datetime, style: TriggeredAt = TriggeredAt.UTC) -> str:
    """Return the instant as ``triggeredAt`` shows it (contract d-4).

    Args:
        instant: an aware datetime, in any zone.
        style: UTC with ``Z``; the local time of Los Angeles with a wrong ``Z``; or that time with
            its right offset. The last two follow summer and winter time.

    Raises:
        InvalidValue: the datetime has no time zone.
    """
    if instant.utcoffset() is None:
        raise InvalidValue(f"{instant!r} has no time zone.", hint="Give an aware datetime.")
    if style is TriggeredAt.LA_OFFSET:
        return _in_los_angeles(instant).isoformat(timespec="milliseconds")
    local = instant.astimezone(UTC) if style is TriggeredAt.UTC else _in_los_angeles(instant)
    return local.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def print_milliseconds(milliseconds: int, style: TriggeredAt = TriggeredAt.UTC) -> str:
    """Print milliseconds since 1970; a cache makes instants of the same second cheap."""
    seconds, rest = divmod(milliseconds, 1000)
    if style is TriggeredAt.UTC:
        return f"{_to_the_second(seconds)}.{rest:03d}Z"
    return print_instant(_EPOCH + timedelta(milliseconds=milliseconds), style)


@lru_cache(maxsize=64)
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def parse_instant(text: str) -> datetime:
    """Parse a text like ``2023-06-29T06:56:57.472Z``, and no other form, to an aware UTC datetime.

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
    """Parse a user's text, in any form of RFC 3339, to an aware UTC datetime.

    The fraction of a second is optional; digits beyond milliseconds are cut off.

    Args:
        text: the user's text.
        within: the allowed range, without its end; both are beginnings of years in UTC.

    Raises:
        InvalidValue: the text has another form, names a day or time that does not exist, or is out
            of range.
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
    if _YEAR.match(text) and "t" in text.lower():
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
        f"{text!r} is out of range.", hint=f"Use a year from {first:04d} to {last}, in UTC."
    )


def _in_los_angeles(instant: datetime) -> datetime:
    # Receivers import this module to verify, and only two assumptions (d-4) need the zone's rules.
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - slow to load, rarely needed

    return instant.astimezone(ZoneInfo("America/Los_Angeles"))
