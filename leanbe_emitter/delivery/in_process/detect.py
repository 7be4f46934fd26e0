"""Detection of the kind of a receiver: an app, a test client or a function.

The number of required arguments tells the kinds apart: an ASGI app takes three, a WSGI app two, and
a function that gets the request takes one.
"""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from leanbe_emitter.delivery.in_process.app_errors import AppErrors
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport, DjangoAsgiTransport
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS
from leanbe_emitter.delivery.in_process.framework_clients import call_through_client
from leanbe_emitter.delivery.in_process.frameworks import is_django
from leanbe_emitter.delivery.in_process.functions import function_transport
from leanbe_emitter.delivery.in_process.sync_transport import SyncTransport
from leanbe_emitter.delivery.in_process.wsgi import WsgiTransport
from leanbe_emitter.delivery.network.transport import DEFAULT_LIMITS, AnswerLimits, Transport
from leanbe_emitter.errors import InvalidValue

_RECEIVER_KINDS = (
    "A receiver is an ASGI app, a WSGI app, a test client of Flask, Django, Starlette or Litestar, "
    "or a function of one argument."
)
_LONGEST_SHOWN = 100


class InProcessTransport(Transport, Protocol):
    """Transport that sends requests to a receiver in this process."""

    @property
    def errors(self) -> AppErrors:
        """The errors that the receiver raised."""
        ...

    @property
    def needs_loop(self) -> bool:
        """Whether an event loop must run in the caller's thread."""
        ...

    @property
    def is_in_loop(self) -> bool:
        """Whether the transport must be closed in an event loop because it has tasks there."""
        ...

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Wait until the receiver has done all its work after its answers.

        Raises:
            WaitTimedOut: the work is not done; the message names the line.
        """
        ...


def transport_for(
    app: Any,
    *,
    lifespan: bool = True,
    answer_seconds: float = ANSWER_SECONDS,
    limits: AnswerLimits = DEFAULT_LIMITS,
) -> InProcessTransport:
    """Return the transport that sends requests to a receiver in this process.

    Args:
        app: an ASGI or WSGI app, a framework's test client, or a function that takes a
            ``ReceivedRequest``. A transport of this package is returned unchanged.
        lifespan: whether the transport starts and stops an ASGI app; False leaves both to the test.
        answer_seconds: the time in which the receiver must answer.
        limits: how much of an answer is stored.

    Raises:
        InvalidValue: the object is none of these; the hint says what to pass instead.
    """
    options: dict[str, Any] = {"answer_seconds": answer_seconds, "limits": limits}
    if isinstance(app, AsgiTransport | SyncTransport):
        return app
    if ask := call_through_client(app):
        return SyncTransport(ask, app=app, **options)
    _refuse_similar_objects(app)
    match _required_arguments(app):
        case 3 if is_django(app):
            return DjangoAsgiTransport(app, lifespan=False, **options)
        case 3:
            return AsgiTransport(app, lifespan=lifespan, **options)
        case 2:
            return WsgiTransport(app, **options)
        case 1:
            return function_transport(app, **options)
        case count:
            raise _refused(app, f"It takes {_in_words(count)}. {_RECEIVER_KINDS}")


def _refuse_similar_objects(app: Any) -> None:
    if isinstance(app, str):
        raise _refused(app, "Pass a URL as webhook_url=, and an app as the object itself.")
    if inspect.ismodule(app):
        raise _refused(app, f"Pass the app in this module: perhaps {app.__name__}.app.")
    if inspect.isclass(app):
        raise _refused(app, f"It is a class: pass an instance. {_RECEIVER_KINDS}")
    if inspect.iscoroutine(app):
        app.close()
        raise _refused(app, "It is a coroutine: pass the function, without parentheses.")
    if hasattr(app, "request") and hasattr(app, "base_url"):
        raise _refused(app, "Pass the app that this client calls, and not the client.")
    if not callable(app):
        raise _refused(app, _RECEIVER_KINDS)


def _required_arguments(app: Any) -> int | None:
    """Return the number of required positional arguments; None if it cannot be known."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return None
    return sum(
        each.kind in by_position and each.default is inspect.Parameter.empty for each in parameters
    )


def _in_words(count: int | None) -> str:
    if count is None:
        return "an unknown number of arguments"
    return f"{count} argument{'' if count == 1 else 's'}"


def _refused(app: object, hint: str) -> InvalidValue:
    return InvalidValue(f"{_shown(app)} is not a receiver.", hint=hint)


def _shown(app: object) -> str:
    if isinstance(app, str):
        return "A text"  # a text may hold a secret
    text = repr(app)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
