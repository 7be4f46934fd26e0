"""The traceback of a failed test, without what lies between the test's line and the receiver's.

There are the lines of this package and of the receiver's framework, some thirty of them. What an
app calls beyond its own last line stays: that is where the error was raised.
"""

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from types import TracebackType

from leanbe_emitter.delivery.in_process.stack_location import is_user_code
from leanbe_emitter.errors import LeanbeError

_PACKAGE = str(Path(__file__).parents[1])


def shorten(error: BaseException) -> None:
    """Leave the lines in between out of an error's traceback.

    Where no line of an app follows, only an error that is meant for users ends at the test's line.
    """
    lines = list(_lines(error.__traceback__))
    first = _first_of_ours(lines)
    if first is None:
        return
    rest = list(dropwhile(lambda line: not is_user_code(line.tb_frame), lines[first:]))
    if rest or isinstance(error, LeanbeError):
        error.__traceback__ = _chained([*lines[:first], *rest])


def is_raised_at_end(error: BaseException) -> bool:
    """Say whether an error that is meant for users came of the test's end, and of no line of it."""
    return isinstance(error, LeanbeError) and not any(
        is_user_code(line.tb_frame) for line in _lines(error.__traceback__)
    )


def _lines(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _first_of_ours(lines: Sequence[TracebackType]) -> int | None:
    """Return where a test calls this package; what calls the test is no part of it."""
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
