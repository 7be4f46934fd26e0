"""Location of running code: the line of the app at which a call hangs, in words.

The named line is the innermost line of the user's own code. Lines of the standard library, of
installed packages and of this package do not count.
"""

import asyncio
import linecache
import os
import sys
import sysconfig
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_LIBRARIES = tuple(
    os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - strings are what frames hold
    for path in (
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        str(Path(__file__).parents[2]),
    )
)
# Code that makes the calls: the frames above it belong to the test.
_CALLERS = (os.path.join(str(Path(__file__).parent), ""), asyncio.__path__[0])  # noqa: PTH118
# Threads in which frameworks run synchronous code for asynchronous callers.
_THREAD_NAMES = ("AnyIO worker thread", "asyncio_", "ThreadPoolExecutor", "asyncio-portal")
_MOST_SHOWN = 3


def locate_frame(frame: FrameType | None) -> str:
    """Name the line at which running code was interrupted, within the calls of this package."""
    frames = list(takewhile(_is_called, _up(frame)))
    return _named(frames[::-1])


def locate_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> str:
    """Name the lines at which tasks wait, with those of the threads of frameworks."""
    waiting = [_chain(task.get_coro()) for task in tasks if not task.done()]
    own = [frames for frames in [*waiting, *_threads_of_frameworks()] if _innermost_own(frames)]
    places = dict.fromkeys(map(_named, own or waiting[:1]))
    return " and ".join([*places][:_MOST_SHOWN])


def _up(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _chain(awaiting: Any) -> list[FrameType]:
    """Return the frames of a suspended coroutine and of its awaited objects, outermost first."""
    frames = []
    while awaiting is not None:
        frame, awaited = _suspended(awaiting)
        if frame is not None:
            frames.append(frame)
        awaiting = awaited
    return frames


def _suspended(awaiting: Any) -> tuple[FrameType | None, Any]:
    for kind in ("cr", "gi", "ag"):
        if hasattr(awaiting, f"{kind}_frame"):
            awaited = "gi_yieldfrom" if kind == "gi" else f"{kind}_await"
            return getattr(awaiting, f"{kind}_frame"), getattr(awaiting, awaited)
    return None, None


def _threads_of_frameworks() -> Iterator[list[FrameType]]:
    frames = sys._current_frames()  # noqa: SLF001 - there is no other way to see a thread
    for thread in threading.enumerate():
        if thread.name.startswith(_THREAD_NAMES) and thread.ident in frames:
            yield list(_up(frames[thread.ident]))[::-1]


def _innermost_own(frames: Sequence[FrameType]) -> FrameType | None:
    return next((each for each in reversed(frames) if is_user_code(each)), None)


def _is_called(frame: FrameType) -> bool:
    """Say whether the frame is part of a call: neither our calling code nor the event loop."""
    name = os.path.realpath(frame.f_code.co_filename)
    return not name.startswith(_CALLERS)


def is_user_code(frame: FrameType) -> bool:
    """Say whether the code is the user's: not a library's, and not of this package."""
    name = frame.f_code.co_filename
    is_generated = name.startswith("<")  # by dataclasses, SQLAlchemy, Python itself
    return not is_generated and not os.path.realpath(name).startswith(_LIBRARIES)


def _named(frames: Sequence[FrameType]) -> str:
    """Name the innermost line of the user's code or, without one, the innermost line."""
    frame = _innermost_own(frames) or (frames[-1] if frames else None)
    if frame is None:
        return "a line that cannot be seen"
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    shown = f": {line}" if line else ""
    return f"{_file(frame)}:{frame.f_lineno} in {frame.f_code.co_name}{shown}"


def locate_error(error: BaseException) -> str:
    """Name the line that raised an error; empty if no line raised it."""
    frames, trace = list[tuple[FrameType, int]](), error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    own = [each for each in frames if is_user_code(each[0])] or frames
    if not own:
        return ""
    frame, number = own[-1]
    return f"{_file(frame)}:{number} in {frame.f_code.co_name}"


def _file(frame: FrameType) -> str:
    return shown_path(frame.f_code.co_filename)


def shown_path(name: str) -> str:
    """Return a file's path, relative to the current directory if the file is below it."""
    path = Path(name)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def is_part_of(frame: FrameType | None, code: CodeType) -> bool:
    """Say whether a frame belongs to a function's code, or to a function that it called."""
    return any(each.f_code is code for each in _up(frame))


def is_debugged(frame: FrameType | None, debuggers: Collection[str]) -> bool:
    """Say whether a debugger is on the stack of a frame."""
    return any(
        str(each.f_globals.get("__name__", "")).partition(".")[0] in debuggers
        for each in _up(frame)
    )
