"""The SQL statements of a block, counted or made to fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event

from leanbe_emitter.storage.engine.database import Database

_TRANSACTIONS = ("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class StatementFailed(Exception):
    """Error of the statement that the test told to fail."""


@dataclass(kw_only=True)
class Statements:
    """The statements of a block.

    Attributes:
        sent: their texts in order, without those that begin and end transactions.
        failing: the number, from 1, of the statement that fails; 0: none.
    """

    sent: list[str] = field(default_factory=list)
    failing: int = 0

    def __len__(self) -> int:
        return len(self.sent)


@contextmanager
def record_statements(database: Database, *, failing: int = 0) -> Iterator[Statements]:
    """Record the statements of the block; make one of them fail."""
    noted = Statements(failing=failing)

    def note(*arguments: object) -> None:
        text = str(arguments[2])
        if text.startswith(_TRANSACTIONS):
            return
        noted.sent.append(text)
        if len(noted) == noted.failing:
            raise StatementFailed(text)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
