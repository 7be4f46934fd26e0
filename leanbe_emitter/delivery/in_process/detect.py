"""Whatever a user hands over as a receiver: an app, a test client or a function, told apart.

By how many arguments it takes: three are ASGI, two WSGI, one is a function that gets the request.
"""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from leanbe_emitter.delivery.in_process.app_errors import AppErrors
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS
from leanbe_emitter.delivery.in_process.django_asgi import DjangoAsgiTransport
from leanbe_emitter.delivery.in_process.framework_clients import call_through_client
from leanbe_emitter.delivery.in_process.frameworks import is_django
from leanbe_emitter.delivery.in_process.functions import function_transport
from leanbe_emitter.delivery.in_process.sync_transport import SyncTransport
from leanbe_emitter.delivery.in_process.wsgi import WsgiTransport
from leanbe_emitter.delivery.network.answer_buffer import KEPT, AnswerLimits
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.errors import InvalidValue

_WHAT_CAN_BE = (
    "A receiver is an ASGI app, a WSGI app, a test client of Flask, Django, Starlette or Litestar, "
    "or a function of one argument."
)
_LONGEST_SHOWN = 100


class InProcessTransport(Transport, Protocol):
    """What carries requests to a receiver in this process."""

    @property
    def errors(self) -> AppErrors:
        """What the receiver raised."""
        ...

    @property
    def needs_loop(self) -> bool:
        """Whether an event loop must run where it is called."""
        ...

    @property
    def is_in_loop(self) -> bool:
        """Whether it has to be closed in an event loop, because something of it lives there."""
        ...

    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float
    ) -> None:
        """Wait until all that it does after its answers is done.

        Raises:
            WaitTimedOut: it was not done; the message names the line.
        """
        ...


def transport_for(
    app: Any,
    *,
    lifespan: bool = True,
    answer_seconds: float = ANSWER_SECONDS,
    kept: AnswerLimits = KEPT,
) -> InProcessTransport:
    """Return what carries requests to a receiver in this process.

    Args:
        app: an ASGI or WSGI app, a framework's test client, or a function that gets a
            ``ReceivedRequest``; a transport of that kind is returned as it is.
        lifespan: whether to start and stop an ASGI app; False leaves that to the test.
        answer_seconds: how long it may take to answer.
        kept: how much of an answer is kept.

    Raises:
        InvalidValue: it is none of these; the hint says what to hand over instead.
    """
    options: dict[str, Any] = {"answer_seconds": answer_seconds, "kept": kept}
    if isinstance(app, AsgiTransport | SyncTransport):
        return app
    if ask := call_through_client(app):
        return SyncTransport(ask, app=app, **options)
    _refuse_what_looks_like_one(app)
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
            raise _refused(app, f"It takes {_in_words(count)}. {_WHAT_CAN_BE}")


def _refuse_what_looks_like_one(app: Any) -> None:
    if isinstance(app, str):
        raise _refused(app, "A URL is given as webhook_url=; an app is the object itself.")
    if inspect.ismodule(app):
        raise _refused(app, f"Give the app in it: {app.__name__}.app, perhaps.")
    if inspect.isclass(app):
        raise _refused(app, f"It is a class: give an instance. {_WHAT_CAN_BE}")
    if inspect.iscoroutine(app):
        app.close()
        raise _refused(app, "It is a coroutine: leave out the parentheses.")
    if hasattr(app, "request") and hasattr(app, "base_url"):
        raise _refused(app, "Give the app that this client calls, and not the client.")
    if not callable(app):
        raise _refused(app, _WHAT_CAN_BE)


def _required_arguments(app: Any) -> int | None:
    """Return how many arguments it must be given, by position; None where nobody can say."""
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
        return "any number of arguments, or nobody can say how many"
    return f"{count} argument{'' if count == 1 else 's'}"


def _refused(app: object, hint: str) -> InvalidValue:
    return InvalidValue(f"{_shown(app)} is no receiver.", hint=hint)


def _shown(app: object) -> str:
    if isinstance(app, str):
        return "A text"  # of which nobody knows what it holds
    text = repr(app)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
