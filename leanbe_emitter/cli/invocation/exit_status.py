"""The one place where an error becomes lines on stderr and an exit status.

0    done, and receivers accepted every attempt; with --follow, every delivery in the end
    1    an attempt was not accepted, a wait timed out, or a check or verification failed
    2    usage: an unknown name, a refused value, a conflict
    3    environment: the database, the port, the disk, a server or receiver that does not start
    130  interrupted before the end; what runs until you stop it (serve, worker) exits with 0

If the status is not 0, stderr says why. No run ends in a traceback.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import click

from leanbe_emitter.cli.invocation.listen_address import PortTaken
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.errors import (
    DatabaseUnavailable,
    EndlessDeliveries,
    InvalidSignature,
    LeanbeError,
    OutOfDescriptors,
    ReceiverUnavailable,
    WaitTimedOut,
)
from leanbe_emitter.server_process import ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leanbe_emitter.library import Delivery, Leanbe


FAILED = 1
USAGE = 2
ENVIRONMENT = 3
INTERRUPTED = 130

_OF_ENVIRONMENT = (
    DatabaseUnavailable,
    OutOfDescriptors,
    PortTaken,
    ReceiverUnavailable,
    ServerUnavailable,
)
_INDENT = " " * len("error: ")
_log = logging.getLogger(__name__)


class Failed(LeanbeError):
    """The command did its work, and the result is a failure: exit status 1."""

    code: ClassVar[str] = "failed"


class CommandMissing(click.UsageError):
    """A user named a group and none of its commands."""

    def __init__(self, context: click.Context) -> None:
        super().__init__("A command is missing.", context)
        self.help_text = context.get_help()


def run(program: Callable[[], int], *, on_end: Callable[[], object] = lambda: None) -> int:
    """Run the program and return its exit status; stderr says why it is not 0.

    Args:
        program: does the work, and returns the status if it fails in no other way.
        on_end: is called when the work has ended, before anything is said about it.
    """
    try:
        status = program()
        sys.stdout.flush()
        on_end()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place before a traceback
        on_end()
        status = _status_after(error)
    if not _can_flush():
        _discard_output()
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
        case CommandMissing():
            status = _say_help(error)
        case click.ClickException():
            status = _say_usage(error)
        case LeanbeError():
            status = _say(error.message, hint=error.hints.command, status=status_of(error))
        case _:
            status = _say_unexpected(error)
    return status


def status_of(error: LeanbeError) -> int:
    """Return the exit status of one of our errors."""
    if isinstance(error, Failed | InvalidSignature | WaitTimedOut | EndlessDeliveries):
        return FAILED
    if isinstance(error, _OF_ENVIRONMENT):
        return ENVIRONMENT
    return USAGE


def _say(what: str, *, hint: str = "", status: int) -> int:
    paragraphs = "\n".join(part for part in (what, hint) if part).splitlines()
    with suppress(OSError):  # a stderr that takes nothing does not change the status
        terminal = Terminal.of(sys.stderr)
        lines = [
            line for each in paragraphs for line in terminal.wrapped(each, indent=len(_INDENT))
        ]
        sys.stderr.write("error: " + f"\n{_INDENT}".join(lines) + "\n")
        sys.stderr.flush()
    return status


def _say_help(error: CommandMissing) -> int:
    """Show the help to a user who named no command."""
    with suppress(OSError):
        sys.stderr.write(error.help_text + "\n\n")
    return _say(error.message, status=USAGE)


def _say_usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f"Help: {context.command_path} --help" if context is not None else ""
    return _say(error.format_message(), hint=hint, status=USAGE)


def _say_unexpected(error: BaseException) -> int:
    _log.debug("unexpected error", exc_info=error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}.", status=ENVIRONMENT)
    return _say(
        f"{type(error).__name__}: {error}",
        hint="This is a bug in leanbe-emitter. --verbose shows where.",
        status=ENVIRONMENT,
    )


def _reader_left() -> int:
    """Return 0: a reader that closes our output early (``| head``) has what it needs."""
    _discard_output()
    return 0


def _discard_output() -> None:
    """Discard further output, so that the interpreter's last flush cannot fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            os.dup2(null, stream.fileno())


def require_delivered(leanbe: "Leanbe", deliveries: "Sequence[Delivery]") -> None:
    """Check that deliveries that were followed ended delivered, after however many attempts.

    Raises:
        Failed: a delivery did not.
    """
    # From the database: another process may have made the last attempt.
    ended = leanbe.deliveries.of(each.id for each in deliveries)
    failed = len(deliveries) - sum(each.delivered for each in ended)
    if failed:
        noun = "delivery" if len(deliveries) == 1 else "deliveries"
        raise Failed(
            f"{failed} of {len(deliveries)} {noun} did not end delivered.",
            hint="See: leanbe-emitter deliveries list",
        )
