"""What a server answers for an app that raises, and the words for it."""

from http import HTTPStatus

from leanbe_emitter.delivery.in_process.stack_location import locate_error
from leanbe_emitter.delivery.network.transport import Answer

#: What every server answers for an app that raises.
_ERROR_BODY = b"Internal Server Error"


def internal_server_error(error: BaseException) -> Answer:
    """Return the answer of a server whose app raised this: a 500, the remark saying what."""
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
    """Say in words that the app raised an error, and where."""
    said = str(error)
    where = locate_error(error)
    return (
        f"the app raised {type(error).__name__}"
        + f": {said}" * bool(said)
        + (f" (at {where})" if where else "")
    )


def reason_phrase(status: int) -> str:
    """Return the words that stand beside a status; empty for one that nobody knows."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
