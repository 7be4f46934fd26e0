"""How far an objective has come (contract b.5).

Halves are rounded up, which Python's ``round`` does not do.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isfinite

_WHOLE = 100


def key_result_progress(*, start: float, current: float, target: float) -> int:
    """Return how much of the way from start to target is done, in percent, 0 to 100.

    Where there is no way to go, it is 100 from the target on, and 0 before.
    """
    if target == start:
        return _WHOLE if current >= target else 0
    percent = _WHOLE * (current - start) / (target - start)
    if isfinite(percent):
        return max(0, min(_WHOLE, _rounded(percent)))
    # Too large for doubles on the way; exact fractions are slower, and have no limits.
    way, done = Fraction(target) - Fraction(start), Fraction(current) - Fraction(start)
    return max(0, min(_WHOLE, floor(_WHOLE * done / way + Fraction(1, 2))))


def okr_progress(key_results: Sequence[int]) -> int:
    """Return the mean of the key results' progress, in percent; 0 where there are none."""
    return _rounded(sum(key_results) / len(key_results)) if key_results else 0


def _rounded(value: float) -> int:
    return floor(value + 0.5)
