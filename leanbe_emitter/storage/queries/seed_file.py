"""The stored seed file: a row of the database, so that every process plants the same content."""

from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.queries.compiled_statements import fetch
from leanbe_emitter.storage.schema.tables import SeedFileRow

_STORED = select(SeedFileRow.name, SeedFileRow.content)


class StoredSeed(NamedTuple):
    """A seed file's name, and its content as JSON."""

    name: str
    content: str


def store_seed(session: Session, seed: StoredSeed) -> None:
    """Store the seed that each reset plants, in place of the one before."""
    session.execute(delete(SeedFileRow))
    session.add(SeedFileRow(id=1, **seed._asdict()))


def stored_seed(session: Session) -> StoredSeed | None:
    """Return the seed that each reset plants; None if there is none."""
    rows = fetch(session, _STORED)
    return StoredSeed(*rows[0]) if rows else None
