"""A PostgreSQL connection is asked for a sign of life only when it may have been lost.

To ask costs a round trip before each transaction, and a worker begins hundreds of them a second. A
connection that was used a moment ago, and whose server has said nothing since, is taken as it is: a
server that stops, or ends a connection, says so, and that can be read.
"""

import select
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event

from leanbe_emitter.clock import stopwatch

#: For how long after its use a silent connection is taken to be alive, in seconds.
TRUSTED_SECONDS = 1.0


def ping_what_rested(engine: Engine, *, now: Callable[[], float] = stopwatch) -> None:
    """Ping only what was used more than ``TRUSTED_SECONDS`` ago, or was told something since.

    Args:
        engine: one of psycopg that pings before use.
        now: a clock that is never set, in seconds.
    """
    ping = engine.dialect.do_ping
    used_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def ping_if_rested(dbapi_connection: Any) -> bool:
        rested = now() - used_at.get(dbapi_connection, float("-inf"))
        is_trusted = rested <= TRUSTED_SECONDS and not _was_told(dbapi_connection)
        return is_trusted or ping(dbapi_connection)

    def note(connection: Any, _record: object) -> None:
        # None: it was broken, and is not given back.
        if connection is not None:
            used_at[connection] = now()

    engine.dialect.do_ping = ping_if_rested  # type: ignore[method-assign]
    event.listen(engine, "checkin", note)


def _was_told(connection: Any) -> bool:
    """Say whether there is something to read: a server's last word, or its end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
