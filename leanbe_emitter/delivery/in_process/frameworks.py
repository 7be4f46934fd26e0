"""Special behaviour of web frameworks; this module imports none, as the app has loaded its own.

Django and Flask answer for an app that raises, and swallow the error, but report it by a signal.
Litestar has a hook for it. Django also closes its database connections around each request, which
would end the open transaction of the test. Django's test client keeps the connections open, and so
does this module.
"""

import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.delivery.in_process.call import current_call

P = ParamSpec("P")
R = TypeVar("R")

_UID = "leanbe_emitter"
# Largest number of wrappers around an app that are opened.
_MAX_WRAPPERS = 5
_LOWEST_SERVER_ERROR = 500


def watch_for_swallowed_errors(app: object) -> None:
    """Make the app's framework report the error behind its 500 to the current call."""
    if django := sys.modules.get("django.core.signals"):
        django.got_request_exception.connect(_of_django, weak=False, dispatch_uid=_UID)
    if flask := sys.modules.get("flask.signals"):
        flask.got_request_exception.connect(_of_flask, weak=False)
    if is_instance_of(app, "litestar.app", "Litestar"):
        litestar: Any = app
        if _of_litestar not in litestar.after_exception:
            litestar.after_exception.append(_of_litestar)


class _ConnectionKeeper:
    """Count of running requests, during which Django's connections stay open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._disconnected: list[Any] = []

    def begin(self, signals: Any, close: Any) -> None:
        with self._lock:
            if not self._count:
                both = (signals.request_started, signals.request_finished)
                self._disconnected = [each for each in both if each.disconnect(close)]
            self._count += 1

    def end(self, close: Any) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                for each in self._disconnected:
                    each.connect(close)


_KEEPER = _ConnectionKeeper()


@contextmanager
def keep_django_connections() -> Iterator[None]:
    """Keep Django's database connections open in the block, if Django is loaded."""
    signals, database = sys.modules.get("django.core.signals"), sys.modules.get("django.db")
    if signals is None or database is None:
        yield
        return
    close = database.close_old_connections
    _KEEPER.begin(signals, close)
    try:
        yield
    finally:
        _KEEPER.end(close)


def is_instance_of(app: object, module: str, name: str) -> bool:
    """Say whether an object is an instance of a framework's class or of a subclass."""
    return any((each.__module__, each.__qualname__) == (module, name) for each in type(app).__mro__)


def _of_django(**_: object) -> None:
    _notice(sys.exc_info()[1])


def _of_flask(_sender: object, *, exception: BaseException, **_: object) -> None:
    _notice(exception)


async def _of_litestar(exception: BaseException, _scope: object) -> None:
    if getattr(exception, "status_code", _LOWEST_SERVER_ERROR) >= _LOWEST_SERVER_ERROR:
        _notice(exception)


def _notice(error: BaseException | None) -> None:
    call = current_call()
    if call is not None and error is not None:
        call.swallowed_errors.append(error)


def is_django(app: object) -> bool:
    """Say whether the app is one of Django's handlers, or wraps one."""
    for _ in range(_MAX_WRAPPERS):
        if is_instance_of(app, "django.core.handlers.base", "BaseHandler"):
            return True
        wrapped = (getattr(app, name, None) for name in ("application", "app", "wsgi_app"))
        app = next((each for each in wrapped if each is not None), None)
    return False


def moved_to_django_thread(
    app: object, call: Callable[P, R]
) -> Callable[P, Coroutine[Any, Any, R]] | None:
    """Return the call moved to Django's own thread, if it cannot run on this thread.

    Returns:
        None if it can: no event loop runs here, or the app is not Django's.
    """
    if running_loop() is None or not is_django(app):
        return None
    to_thread: Any = sys.modules["asgiref.sync"].sync_to_async
    moved: Callable[P, Coroutine[Any, Any, R]] = to_thread(call, thread_sensitive=True)
    return moved
