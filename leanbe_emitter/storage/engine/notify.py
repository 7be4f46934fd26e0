"""Notifications to workers, at the commit, that something is due.

PostgreSQL notifies every process that listens on a channel. SQLite shows to anybody who asks that
another connection has committed. Neither says anything before the commit, or after a rollback.
"""

from sqlalchemy.orm import Session

#: The channel of PostgreSQL's notifications: one for the whole database.
CHANNEL = "leanbe_emitter_due"

_NOTIFIES = "leanbe_notifies_workers"


def notify_workers(session: Session) -> None:
    """Notify all workers, when this transaction commits, that something is due."""
    notify_in_process(session)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_notify(%s, '')", (CHANNEL,))


def notify_in_process(session: Session) -> None:
    """Notify the workers of this process; the transaction itself notifies other processes."""
    session.info[_NOTIFIES] = True


def notifies_workers(session: Session) -> bool:
    """Return whether the commit of this transaction notifies workers."""
    return _NOTIFIES in session.info
