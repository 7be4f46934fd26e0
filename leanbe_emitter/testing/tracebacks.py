"""Short tracebacks of failed tests, without the lines between the test's and the receiver's code.

Those lines belong to this package and to the receiver's framework, and there are some thirty of
them. Lines that an app calls beyond its own last line stay: the error was raised there.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from types import TracebackType

from leanbe_emitter.delivery.in_process.stack_location import is_user_code
from leanbe_emitter.errors import LeanbeError

_PACKAGE = str(Path(__file__).parents[1])


def shorten(error: BaseException) -> None:
    """Remove the lines in between from an error's traceback.

    Without a following line of an app, only the errors of this package end at the test's line.
    """
    lines = list(_lines(error.__traceback__))
    first = _first_of_ours(lines)
    if first is None:
        return
    rest = list(dropwhile(lambda line: not is_user_code(line.tb_frame), lines[first:]))
    if rest or isinstance(error, LeanbeError):
        error.__traceback__ = _chained([*lines[:first], *rest])


def is_raised_at_end(error: BaseException) -> bool:
    """Say whether the end of the test raised an error for users, and no line of the test did."""
    return isinstance(error, LeanbeError) and not any(
        is_user_code(line.tb_frame) for line in _lines(error.__traceback__)
    )


def _lines(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _first_of_ours(lines: Sequence[TracebackType]) -> int | None:
    """Return the index of the test's first call of this package; ignore the test's callers."""
    is_in_test = False
    for index, line in enumerate(lines):
        if is_in_test and line.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            return index
        is_in_test = is_in_test or is_user_code(line.tb_frame)
    return None


def _chained(lines: Sequence[TracebackType]) -> TracebackType | None:
    trace = None
    for line in reversed(lines):
        trace = TracebackType(trace, line.tb_frame, line.tb_lasti, line.tb_lineno)
    return trace
