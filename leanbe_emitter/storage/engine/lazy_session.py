"""A session that becomes one of the ORM only when somebody uses its objects.

Most transactions only run statements. To make a session of the ORM, to let it join a transaction
and to close it takes longer than a statement.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session


class LazySession(Session):
    """A session that is only a connection until somebody uses more of it.

    Args:
        connection: a connection in a transaction. The caller who began the transaction ends it.
    """

    _is_made = False

    def __init__(self, connection: Connection) -> None:
        # __getattr__ calls the constructor of Session as soon as something needs it.
        self._given = connection

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection; in a nested transaction, after its savepoint was set."""
        is_plain = not self._is_made or self._nested_transaction is None
        if is_plain and self._given.in_transaction():
            return self._given
        # Session knows what to do first, or why nothing can be done any more.
        return super().connection(*arguments, **options)

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write the pending changes. A session that was not used has none."""
        if self._is_made:
            super().flush(objects)

    def close(self) -> None:
        """Release all objects."""
        if self._is_made:
            super().close()

    def __getattr__(self, name: str) -> Any:
        """Construct the session: the caller asked for an attribute that its constructor sets."""
        if self._is_made:
            raise AttributeError(f"{type(self).__name__} has no {name!r}.")
        self._is_made = True
        super().__init__(self._given, expire_on_commit=False)
        # At once, so that a rollback of the session rolls back the transaction.
        super().connection()
        return getattr(self, name)
