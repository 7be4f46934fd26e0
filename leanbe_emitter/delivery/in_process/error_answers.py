"""Answers for apps that raise an error, and the words that describe the error."""

from http import HTTPStatus

from leanbe_emitter.delivery.in_process.stack_location import locate_error
from leanbe_emitter.delivery.network.transport import Answer

#: Body that servers send when an app raises an error.
_ERROR_BODY = b"Internal Server Error"


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
