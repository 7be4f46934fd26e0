"""Parse and print durations: ``500ms``, ``10s``, ``1h30m``; a plain number means seconds.

A duration is a whole number of milliseconds from 0 to a hundred years. So each has exactly one
shortest text, and subtracting it from the present time gives a valid date.
"""

import re
from decimal import Decimal

from leanbe_emitter.errors import InvalidValue

_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_LONGEST_SECONDS = 36_525 * 86_400
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_PART = re.compile(rf"({_NUMBER})(ms|s|m|h|d)")
_PLAIN = re.compile(_NUMBER)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")

_EXAMPLES = "Write a duration like 500ms, 10s, 2m, 1h or 30d"


def parse_duration(text: str, *, needs_unit: bool = False) -> float:
    """Return the seconds of a duration.

    Args:
        text: the user's text.
        needs_unit: whether to refuse a plain number, because seconds instead of days do harm.

    Raises:
        InvalidValue: the text is no duration, is finer than a millisecond or longer than a hundred
            years, or lacks a unit that it needs.
    """
    written = text.strip().lower()
    milliseconds = _milliseconds(written)
    if milliseconds is None:
        what = "is no duration"
    elif needs_unit and _PLAIN.fullmatch(written):
        what = "has no unit"
    elif milliseconds != int(milliseconds):
        what = "is finer than a millisecond"
    elif milliseconds > _LONGEST_SECONDS * 1000:
        what = "is longer than a hundred years"
    else:
        return int(milliseconds) / 1000
    more = "" if needs_unit else "; a plain number means seconds"
    raise InvalidValue(f"{text!r} {what}.", hint=f"{_EXAMPLES}{more}.")


def _milliseconds(text: str) -> Decimal | None:
    if _PLAIN.fullmatch(text):
        return Decimal(text) * 1000
    if _WHOLE.fullmatch(text):
        parts = _PART.findall(text)
        return sum((Decimal(number) * _MILLISECONDS[unit] for number, unit in parts), Decimal(0))
    return None


def format_duration(seconds: float) -> str:
    """Return a duration in the largest unit that divides it: ``90s``, ``2m``."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    for unit, size in _MILLISECONDS.items():
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    raise AssertionError("a millisecond divides every whole number of milliseconds")
