"""An instant is printed in one way only, by the reading of the product (contract d-4).

Invariant: milliseconds are cut off, never rounded, so that a printed instant is never later than
the instant itself; there are always three digits of them.
"""

import re
from datetime import UTC, datetime

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.reading import TriggeredAt

_PRINTED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def print_instant(instant: datetime, style: TriggeredAt = TriggeredAt.UTC) -> str:
    """Return the instant as ``triggeredAt`` shows it (contract d-4).

    Args:
        instant: an aware datetime, in any zone.
        style: UTC with ``Z``; the wall clock of Los Angeles with a wrong ``Z``; or that wall clock
            with its true offset. Both of the latter know summer and winter time.

    Raises:
        InvalidValue: the datetime is naive, so that it names no instant.
    """
    if style is TriggeredAt.UTC and instant.tzinfo is UTC:
        return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    if instant.utcoffset() is None:
        raise InvalidValue(f"{instant!r} names no instant: it has no zone.", hint="Give it one.")
    if style is TriggeredAt.LA_OFFSET:
        return _in_los_angeles(instant).isoformat(timespec="milliseconds")
    local = instant.astimezone(UTC) if style is TriggeredAt.UTC else _in_los_angeles(instant)
    return local.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


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
        raise InvalidValue(
            f"{text!r} is no instant.", hint="Write it like 2023-06-29T06:56:57.472Z."
        ) from None


def _in_los_angeles(instant: datetime) -> datetime:
    # Receivers import this folder to verify; only the other readings of d-4 need the zone's rules.
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed by few, slow to load

    return instant.astimezone(ZoneInfo("America/Los_Angeles"))
