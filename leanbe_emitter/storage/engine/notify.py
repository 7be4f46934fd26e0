"""How workers are told, at the commit, that something is due.

PostgreSQL tells every process that listens on a channel; SQLite shows whoever asks that another
connection has committed. Both say nothing before the commit, and nothing of what is rolled back.
"""

from sqlalchemy.orm import Session

#: The channel of PostgreSQL's notifications: one for a database, whatever is due.
CHANNEL = "leanbe_emitter_due"

_TELLS = "leanbe_tells_workers"


def tell_workers(session: Session) -> None:
    """Tell, when this transaction commits, whoever waits for something to be due."""
    note(session)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_notify(%s, '')", (CHANNEL,))


def note(session: Session) -> None:
    """Do the same in this process only; other processes are told by the transaction itself."""
    session.info[_TELLS] = True


def tells_workers(session: Session) -> bool:
    """Say whether workers are to be told when it commits."""
    return _TELLS in session.info
