"""What a database is to begin with after each reset: a row, the same for all processes."""

from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.queries.prepared import found
from leanbe_emitter.storage.schema.tables import SeedFileRow

_KEPT = select(SeedFileRow.name, SeedFileRow.content)


class KeptSeed(NamedTuple):
    """A seed file's name, and what it says, as JSON."""

    name: str
    content: str


def keep(session: Session, seed: KeptSeed) -> None:
    """Let this be planted after each reset, in place of what was."""
    session.execute(delete(SeedFileRow))
    session.add(SeedFileRow(id=1, **seed._asdict()))


def kept(session: Session) -> KeptSeed | None:
    """Return what is planted after each reset, if anything is."""
    rows = found(session, _KEPT)
    return KeptSeed(*rows[0]) if rows else None
