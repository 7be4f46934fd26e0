"""The last ids that a table has of one second, as ObjectIds begin with theirs.

While a database's manual clock stands still, everything happens at one instant, and only ids say
what came first. So an action that makes a document by that clock reads the table's last id, and the
new id comes after it: lists are in the order of creation, also between processes. With a handle's
own clock, and with the machine's, nothing is read.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leanbe_emitter.ids import object_id_prefix
from leanbe_emitter.storage.schema.tables import OBJECT_ID_LENGTH


def ids_of(second: int) -> tuple[str, str]:
    """Return the first and the last ObjectId that a second, since 1970, can have."""
    begins = object_id_prefix(second)
    length = OBJECT_ID_LENGTH - len(begins)
    return begins + "0" * length, begins + "f" * length


def last_id(session: Session, table: type[Any], *, second: int) -> str | None:
    """Return the last id of a second that is in a table; None where there is none."""
    found: str | None = session.scalar(
        select(func.max(table.id)).where(table.id.between(*ids_of(second)))
    )
    return found
