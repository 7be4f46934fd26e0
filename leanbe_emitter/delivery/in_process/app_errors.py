"""What apps raised while they were called: kept, so that a test can raise it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: So many errors are kept until somebody takes them; the first ones tell most.
MAX_KEPT = 100


class During(StrEnum):
    """When an app raised."""

    #: Before its first request, in its lifespan.
    STARTUP = "startup"
    #: While it answered.
    REQUEST = "request"
    #: After its answer.
    BACKGROUND = "background"
    #: When it was stopped.
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, kw_only=True)
class AppError:
    """An error that an app raised.

    Attributes:
        error: the very exception, with its traceback.
        during: when it was raised.
        url: of the request; empty outside of one.
    """

    error: BaseException
    during: During
    url: str = ""


class AppErrors:
    """The errors of one app or of several, in the order in which they were raised."""

    def __init__(self) -> None:
        self._kept: list[AppError] = []

    def add(self, error: BaseException, *, during: During, url: str = "") -> None:
        """Keep an error; once, however many layers of a framework tell of it."""
        if len(self._kept) < MAX_KEPT and all(each.error is not error for each in self._kept):
            self._kept.append(AppError(error=error, during=during, url=url))

    def take(self) -> list[AppError]:
        """Return what was kept, and keep it no longer."""
        taken, self._kept = self._kept, []
        return taken


def first_with_note(errors: Sequence[AppError]) -> BaseException:
    """Return the first of the errors, with a note of when it was raised and what became of it."""
    first = errors[0]
    where = f" at {first.url}" if first.url else ""
    record = "; the attempt is on record as refused" if first.during is During.REQUEST else ""
    more = f" {len(errors) - 1} more followed." if len(errors) > 1 else ""
    first.error.add_note(
        f"Raised by the receiver{where} ({first.during}){record}.{more} "
        "Leanbe(app_errors='record') only records it."
    )
    return first.error
