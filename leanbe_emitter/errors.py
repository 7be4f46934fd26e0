"""The errors of the package; users see no others.

    LeanbeError                 the root: code, message, hint
    ├── NotFound                an object does not exist
    ├── Conflict                the present state does not allow the action
    │   └── FaultNeedsWire      a fault needs the network, but the receiver is in this process
    ├── InvalidValue            a value is not valid
    │   ├── InvalidTarget       a webhook must not call the URL or address
    │   ├── PayloadTooLarge     a payload's text exceeds the limit
    │   └── PayloadTooDeep      a payload's nesting exceeds the limit
    ├── InvalidSignature        a body does not verify
    ├── WaitTimedOut            an awaited event or delivery did not come in time
    ├── NotAwaited              asynchronous code called a waiting method without await
    ├── EventsNotDelivered      an assertion ran while recorded events are still due
    ├── EndlessDeliveries       deliveries do not end, because receivers go on recording events
    ├── FaultNeverFired         a test armed a fault that never fired
    ├── ReceiverUnavailable     nobody answers for a receiver that is to be checked
    ├── OutOfDescriptors        this process can open no further file or connection
    └── DatabaseUnavailable     the database cannot be opened, reached or written
        └── DatabaseBehind      the database's tables are older (or newer) than this program

The message says what happened, with the offending value. A value of any length may be in it: a line
that is too long loses its middle. The hint says what to do. No message, hint
or ``repr`` ever has a secret.
"""

from typing import ClassVar

from leanbe_emitter.hints import Hint

#: Longest line of a message, in characters, and the length of its end if it is shortened.
_LONGEST_LINE, _END = 500, 100


class LeanbeError(Exception):
    """The root of all errors of this package.

    Attributes:
        code: a stable word for programs (``not_found``).
        message: what happened, with the offending value.
        hint: what to do, for Python; empty without a useful hint.
        hints: the hint for each interface: Python, command line and HTTP.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | Hint = "") -> None:
        self.message = message = shortened(message)
        self.hints = Hint.same(hint) if isinstance(hint, str) else hint
        super().__init__(message, self.hint)

    @property
    def hint(self) -> str:
        """The advice to a caller in Python."""
        return self.hints.call

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class NotFound(LeanbeError):
    """The named object does not exist."""

    code = "not_found"


class Conflict(LeanbeError):
    """The present state does not allow the action."""

    code = "conflict"


class FaultNeedsWire(Conflict):
    """A fault needs the network, but its receiver is in this process."""

    code = "fault_needs_wire"


class InvalidValue(LeanbeError):
    """A value is not valid."""

    code = "invalid_value"


class InvalidTarget(InvalidValue):
    """A webhook must not call this URL or address."""

    code = "invalid_target"


class PayloadTooLarge(InvalidValue):
    """The payload's text exceeds the limit."""

    code = "payload_too_large"


class PayloadTooDeep(InvalidValue):
    """The payload's nesting exceeds the limit."""

    code = "payload_too_deep"


class InvalidSignature(LeanbeError):
    """The body does not verify with the secret."""

    code = "invalid_signature"


class WaitTimedOut(LeanbeError):
    """An awaited event or delivery did not come in time."""

    code = "timed_out"


class NotAwaited(LeanbeError):
    """Asynchronous code called a waiting method without ``await``."""

    code = "not_awaited"


class EventsNotDelivered(LeanbeError):
    """An assertion ran while recorded events are still due."""

    code = "events_not_delivered"


class EndlessDeliveries(LeanbeError):
    """Deliveries do not end, because receivers go on recording events."""

    code = "endless_deliveries"


class FaultNeverFired(LeanbeError):
    """A test armed a fault that never fired, because no attempt was for it."""

    code = "fault_never_fired"


class OutOfDescriptors(LeanbeError):
    """This process, or its system, can open no further file or connection."""

    code = "out_of_descriptors"


class ReceiverUnavailable(LeanbeError):
    """The receiver that is to be checked cannot be reached, or does not start."""

    code = "receiver_unavailable"


class DatabaseUnavailable(LeanbeError):
    """The database cannot be opened, reached or written."""

    code = "database_unavailable"


class DatabaseBehind(DatabaseUnavailable):
    """The database's tables are older or newer than this program."""

    code = "database_behind"


def shortened(message: str) -> str:
    """Return a message whose lines have at most some 500 characters; long lines lose the middle."""
    if len(message) <= _LONGEST_LINE:
        return message
    return "\n".join(map(_shortened_line, message.split("\n")))


def _shortened_line(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    beginning, end = line[: _LONGEST_LINE - _END], line[-_END:]
    left_out = len(line) - len(beginning) - len(end)
    return f"{beginning}… ({left_out} characters left out) …{end}"


def check_type(value: object, *types: type, what: str, words: str) -> None:
    """Check the type of an argument, where a wrong one would fail later and say less.

    Args:
        value: the argument.
        types: the types that it may have; a bool is no number.
        what: the argument, as the message names it.
        words: what it has to be.

    Raises:
        InvalidValue: it has another type.
    """
    is_bool = isinstance(value, bool) and bool not in types
    if is_bool or not isinstance(value, types):
        raise InvalidValue(f"{what} is {value!r}.", hint=f"It has to be {words}.")
