"""Emptying a database: every row goes but that of its clock, and the tables stay.

The journal's positions go on where they were, so that who follows it misses nothing of what comes
after. Who held a lease finds it lost, and changes nothing.
"""

from sqlalchemy import delete

from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.documents import METADATA
from leanbe_emitter.storage.tables import ClockRow


def empty(database: Database) -> None:
    """Delete everything in one transaction.

    Raises:
        DatabaseUnavailable: the database went away; then nothing is deleted.
    """
    with database.transaction() as session:
        for table in reversed(METADATA.sorted_tables):
            if table is not ClockRow.__table__:
                session.execute(delete(table))
