"""Every error that leaves the package is one of these.

    LeanbeError                 the root: code, message, hint
    ├── NotFound                an object that is not there
    ├── Conflict                an action that the present state refuses
    │   └── FaultNeedsWire      a fault of the network's bytes, for a receiver that is on no network
    ├── InvalidValue            a value that is refused
    │   ├── InvalidTarget       a URL or an address that must not be called
    │   ├── PayloadTooLarge     more text than the limit
    │   └── PayloadTooDeep      more nesting than the limit
    ├── InvalidSignature        a body that does not verify
    ├── WaitTimedOut            what was waited for did not come in time
    ├── NotAwaited              a call that waits, from asynchronous code, without await
    ├── EventsNotDelivered      an assertion, while something that was recorded is still due
    ├── EndlessDeliveries       what is due has no end: receivers go on recording events
    ├── FaultNeverFired         a fault that a test armed, and that was never applied
    └── DatabaseUnavailable     the database cannot be opened, reached or written
        └── DatabaseBehind      its tables are older (or newer) than this program

The message says what happened, with the offending value; the hint says what to do. No message,
hint or ``repr`` ever holds a secret.
"""

from typing import ClassVar

from leanbe_emitter.hints import Hint


class LeanbeError(Exception):
    """The root of all errors that this package raises on purpose.

    Attributes:
        code: a stable word for programs (``not_found``).
        message: what happened, with the offending value.
        hint: what to do about it, in the library's words; empty where nothing can be said.
        hints: the same in the words of each surface.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | Hint = "") -> None:
        self.message = message
        self.hints = Hint.same(hint) if isinstance(hint, str) else hint
        super().__init__(message, self.hint)

    @property
    def hint(self) -> str:
        """What to do about it, in the library's words."""
        return self.hints.call

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class NotFound(LeanbeError):
    """An object was named that is not there."""

    code = "not_found"


class Conflict(LeanbeError):
    """The present state refuses the action."""

    code = "conflict"


class FaultNeedsWire(Conflict):
    """A fault of the network's bytes is asked for, and the receiver is on no network."""

    code = "fault_needs_wire"


class InvalidValue(LeanbeError):
    """A value was given that is refused."""

    code = "invalid_value"


class InvalidTarget(InvalidValue):
    """A URL or an address was given that must not be called."""

    code = "invalid_target"


class PayloadTooLarge(InvalidValue):
    """The payload's text is longer than the limit."""

    code = "payload_too_large"


class PayloadTooDeep(InvalidValue):
    """The payload is nested deeper than the limit."""

    code = "payload_too_deep"


class InvalidSignature(LeanbeError):
    """A body does not verify against the secret."""

    code = "invalid_signature"


class WaitTimedOut(LeanbeError):
    """What was waited for did not come in time."""

    code = "timed_out"


class NotAwaited(LeanbeError):
    """A waiting method was called where an event loop runs, and was not awaited."""

    code = "not_awaited"


class EventsNotDelivered(LeanbeError):
    """Something was asserted while events that were recorded are still due."""

    code = "events_not_delivered"


class EndlessDeliveries(LeanbeError):
    """Whatever was attempted, something was due again: receivers go on recording events."""

    code = "endless_deliveries"


class FaultNeverFired(LeanbeError):
    """A test armed a fault, and nothing was ever sent that it was meant for."""

    code = "fault_never_fired"


class DatabaseUnavailable(LeanbeError):
    """The database cannot be opened, reached or written."""

    code = "database_unavailable"


class DatabaseBehind(DatabaseUnavailable):
    """The database's tables are not those of this program."""

    code = "database_behind"
