"""Sessions of a transaction that was begun: most run statements, and never look up an object.

Making an ORM's session, letting it join its transaction and closing it takes longer than a
statement. So a session here is made when somebody uses more of it than its connection.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session


class LazySession(Session):
    """A session that keeps no objects until it is used for any.

    Args:
        connection: has a transaction, which is ended by who began it.
    """

    _is_made = False

    def __init__(self, connection: Connection) -> None:
        # The session's own part follows in __getattr__: nobody misses it before.
        self._given = connection

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection; in a nested transaction, its savepoint is set by then."""
        is_plain = not self._is_made or self._nested_transaction is None
        if is_plain and self._given.in_transaction():
            return self._given
        # It knows what has to be done first, or why nothing can be done any more.
        return super().connection(*arguments, **options)

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is held back; a session that was not used holds nothing."""
        if self._is_made:
            super().flush(objects)

    def close(self) -> None:
        """Let go of all objects."""
        if self._is_made:
            super().close()

    def __getattr__(self, name: str) -> Any:
        """Make the session: somebody asked for what a session sets when it is made."""
        if self._is_made:
            raise AttributeError(f"{type(self).__name__} has no {name!r}.")
        self._is_made = True
        super().__init__(self._given, expire_on_commit=False)
        # At once, so that a rollback of the session is one of the transaction.
        super().connection()
        return getattr(self, name)
