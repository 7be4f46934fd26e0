"""Rules for values of fields: the default statuses, and the progress of OKRs.

Progress (contract b.5) rounds halves up; Python's ``round`` does not.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isfinite

#: The statuses of backlog items, in order, for a product without its own list.
DEFAULT_STATUSES = ("To Do", "In Progress", "In Review", "Done")

_WHOLE = 100


def key_result_progress(*, start: float, current: float, target: float) -> int:
    """Return how far a measure has come from its start to its target, in percent, 0 to 100.

    If start and target are equal, the progress is 100 from the target on, and 0 below it.
    """
    if target == start:
        return _WHOLE if current >= target else 0
    percent = _WHOLE * (current - start) / (target - start)
    if isfinite(percent):
        return max(0, min(_WHOLE, _rounded(percent)))
    # The difference exceeds a double. Fractions are exact and slower.
    way, done = Fraction(target) - Fraction(start), Fraction(current) - Fraction(start)
    return max(0, min(_WHOLE, floor(_WHOLE * done / way + Fraction(1, 2))))


def okr_progress(key_results: Sequence[int]) -> int:
    """Return the mean of the key results' progress, in percent; 0 without key results."""
    return _rounded(sum(key_results) / len(key_results)) if key_results else 0


def _rounded(value: float) -> int:
    return floor(value + 0.5)
