"""Errors that apps raised while Leanbe called them: their answers, and their record for a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from leanbe_emitter.delivery.in_process.stack_location import locate_error
from leanbe_emitter.delivery.network.transport import Answer

#: Largest number of errors that are kept; the first ones explain most.
MAX_KEPT = 100
#: Body that servers send when an app raises an error.
_ERROR_BODY = b"Internal Server Error"


class During(StrEnum):
    """The moment at which an app raised an error."""

    #: In the lifespan of the app, before its first request.
    STARTUP = "startup"
    #: While the app answered a request.
    REQUEST = "request"
    #: After the answer of the app, in background work.
    BACKGROUND = "background"
    #: In the lifespan of the app, while it stopped.
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, kw_only=True)
class AppError:
    """An error that an app raised.

    Attributes:
        error: the exception object of the app, with its traceback.
        during: the moment at which the app raised it.
        url: the URL of the request; empty outside of a request.
    """

    error: BaseException
    during: During
    url: str = ""


class AppErrors:
    """The errors of one app or of several apps, in the order in which the apps raised them."""

    def __init__(self) -> None:
        self._kept: list[AppError] = []

    def add(self, error: BaseException, *, during: During, url: str = "") -> None:
        """Keep an error. A second report of the same exception object changes nothing."""
        if len(self._kept) < MAX_KEPT and all(each.error is not error for each in self._kept):
            self._kept.append(AppError(error=error, during=during, url=url))

    def take(self) -> list[AppError]:
        """Return all kept errors, and forget them."""
        taken, self._kept = self._kept, []
        return taken


def first_with_note(errors: Sequence[AppError]) -> BaseException:
    """Return the first error, with a note that says when the app raised it and what followed."""
    first = errors[0]
    where = f" at {first.url}" if first.url else ""
    record = "; the attempt is on record as refused" if first.during is During.REQUEST else ""
    more = f" {len(errors) - 1} more followed." if len(errors) > 1 else ""
    first.error.add_note(
        f"Raised by the receiver{where} ({first.during}){record}.{more} "
        "Leanbe(app_errors='record') only records it."
    )
    return first.error


def internal_server_error(error: BaseException) -> Answer:
    """Return a server's answer for an app that raised this: a 500 whose remark names the error."""
    return Answer(
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        reason=reason_phrase(HTTPStatus.INTERNAL_SERVER_ERROR),
        headers=(
            ("content-type", "text/plain; charset=utf-8"),
            ("content-length", str(len(_ERROR_BODY))),
        ),
        body=_ERROR_BODY,
        body_length=len(_ERROR_BODY),
        remark=describe_error(error),
    )


def describe_error(error: BaseException) -> str:
    """Describe an error that the app raised, and name its line."""
    said = str(error)
    where = locate_error(error)
    return (
        f"the app raised {type(error).__name__}"
        + f": {said}" * bool(said)
        + (f" (at {where})" if where else "")
    )


def reason_phrase(status: int) -> str:
    """Return the standard phrase of a status; empty for an unknown status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
