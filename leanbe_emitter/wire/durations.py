"""Durations as people write them: ``500ms``, ``10s``, ``1h30m``; a plain number is seconds.

A duration is a whole number of milliseconds between nothing and a hundred years, so that every one
has exactly one shortest text and any of them can be taken from today's date.
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

_HINT = "Write a duration like 500ms, 10s, 2m, 1h or 30d; a plain number is seconds."


def parse_duration(text: str) -> float:
    """Return the seconds of a duration.

    Raises:
        InvalidValue: it is no duration, finer than a millisecond or longer than a hundred years.
    """
    milliseconds = _milliseconds(text.strip().lower())
    if milliseconds is None:
        raise InvalidValue(f"{text!r} is no duration.", hint=_HINT)
    if milliseconds != int(milliseconds):
        raise InvalidValue(f"{text!r} is finer than a millisecond.", hint=_HINT)
    if milliseconds > _LONGEST_SECONDS * 1000:
        raise InvalidValue(f"{text!r} is longer than a hundred years.", hint=_HINT)
    return int(milliseconds) / 1000


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
