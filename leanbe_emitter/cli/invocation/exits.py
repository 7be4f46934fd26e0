"""The one place where what went wrong becomes lines on stderr and an exit status.

    0    done, and every attempt made was accepted
    1    an attempt was not, a wait timed out, or a check or verification failed
    2    usage: an unknown name, a value that is refused, a conflict
    3    environment: the database, the port, the disk, a server that does not start
    130  interrupted before it was done; what runs until it is stopped (serve, worker) ends with 0

Whenever the status is not 0, stderr says why. Nothing ever ends in a traceback.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

import click

from leanbe_emitter.cli.invocation.listening import PortTaken
from leanbe_emitter.errors import (
    DatabaseUnavailable,
    EndlessDeliveries,
    InvalidSignature,
    LeanbeError,
    WaitTimedOut,
)
from leanbe_emitter.processes import ServerUnavailable

FAILED = 1
USAGE = 2
ENVIRONMENT = 3
INTERRUPTED = 130

_INDENT = " " * len("error: ")
_log = logging.getLogger(__name__)


class Failed(LeanbeError):
    """The work was done, and what came of it is not what was hoped for: exit 1."""

    code: ClassVar[str] = "failed"


def run(program: Callable[[], int]) -> int:
    """Run the program to its end and return its exit status, having said why it is not 0."""
    try:
        status = program()
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last net: no traceback
        status = _status_after(error)
    if not _can_flush():
        _quieten()
    return status


def _can_flush() -> bool:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


def _status_after(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            status = error.exit_code
        case BrokenPipeError():
            status = _reader_left()
        case KeyboardInterrupt() | click.Abort():
            status = _say("Interrupted.", status=INTERRUPTED)
        case click.exceptions.NoArgsIsHelpError():
            status = _say_help(error)
        case click.ClickException():
            status = _say_usage(error)
        case LeanbeError():
            status = _say(error.message, hint=error.hints.command, status=status_of(error))
        case _:
            status = _say_unforeseen(error)
    return status


def status_of(error: LeanbeError) -> int:
    """Return the exit status of an error of ours."""
    if isinstance(error, Failed | InvalidSignature | WaitTimedOut | EndlessDeliveries):
        return FAILED
    if isinstance(error, DatabaseUnavailable | PortTaken | ServerUnavailable):
        return ENVIRONMENT
    return USAGE


def _say(what: str, *, hint: str = "", status: int) -> int:
    lines = "\n".join(part for part in (what, hint) if part).splitlines()
    with suppress(OSError):  # a stderr that takes nothing does not change the status
        sys.stderr.write("error: " + f"\n{_INDENT}".join(lines) + "\n")
        sys.stderr.flush()
    return status


def _say_help(error: click.exceptions.NoArgsIsHelpError) -> int:
    """Show what there is to somebody who named no command."""
    with suppress(OSError):
        sys.stderr.write(error.format_message() + "\n\n")
    return _say("A command is missing.", status=USAGE)


def _say_usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f"Help: {context.command_path} --help" if context is not None else ""
    return _say(error.format_message(), hint=hint, status=USAGE)


def _say_unforeseen(error: BaseException) -> int:
    _log.debug("unforeseen error", exc_info=error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}.", status=ENVIRONMENT)
    return _say(
        f"{type(error).__name__}: {error}",
        hint="This is a mistake of ours: --verbose shows where.",
        status=ENVIRONMENT,
    )


def _reader_left() -> int:
    """Return 0: whoever closes our output early (``| head``) has what they wanted."""
    _quieten()
    return 0


def _quieten() -> None:
    """Let nothing more come out: the interpreter flushes at its end, and must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            os.dup2(nowhere, stream.fileno())
