"""Checking a seed by planting it on trial, in a database in memory.

The trial knows no rule of the domain. It plants each part inside a savepoint. If the domain refuses
a part, the trial plants each member of the part alone, to find those with mistakes. Then it goes on
without them, so that it finds all mistakes of a file at once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, SystemClock
from leanbe_emitter.domain.action import Action
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.ids import Ids
from leanbe_emitter.seeds.planting import Members, Parts, Planter, nested
from leanbe_emitter.seeds.seed import Seed
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from leanbe_emitter.strict_model import Path
from leanbe_emitter.target_rules import TargetRules

Planted = TypeVar("Planted")

#: The handle that plants the seed has rules of its own, which may allow any address.
_ANY_TARGET: Final = TargetRules(allow=("0.0.0.0/0", "::/0"))


def find_mistakes(seed: Seed) -> list[tuple[Path, LeanbeError]]:
    """Return the mistakes of a seed: where each is, and what the domain says about it."""
    database = Database(":memory:")
    try:
        prepare(database)
        with database.transaction() as session:
            trial = _Trial(
                seed, session, begin=partial(_action, session, Ids()), now=SystemClock().now()
            )
            trial.plant()
            return trial.mistakes
    finally:
        database.close()


def _action(
    session: Session, ids: Ids, *, clock: Clock, given_ids: Sequence[str | None] = ()
) -> Action:
    return Action(session=session, clock=clock, ids=ids, rules=_ANY_TARGET, given_ids=given_ids)


class _Trial(Planter):
    """A planter that collects mistakes, and goes on.

    Attributes:
        mistakes: the places and the errors found so far.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.mistakes: list[tuple[Path, LeanbeError]] = []

    def _attempt(
        self, at: Path, make: Callable[[Members], Planted], parts: Parts, stand_in: Parts
    ) -> Planted:
        try:
            with self._undone_if_refused():
                return make(nested(parts))
        except LeanbeError as error:
            refusal = error
        wrong = dict(self._wrong(make, parts, stand_in))
        if not wrong:
            self.mistakes.append((at, refusal))
            return self._make_named(make, parts, stand_in)
        self.mistakes += [((*at, *path), error) for path, error in wrong.items()]
        right = {path: part for path, part in parts.items() if path not in wrong}
        filled = {path: part for path, part in stand_in.items() if path in wrong}
        try:
            with self._undone_if_refused():
                return make(nested(right | filled))
        except LeanbeError as error:
            # Without its idea, a backlog item lacks the idea's title: no mistake of its own.
            if ("idea",) not in wrong:
                self.mistakes.append((at, error))
        return self._make_named(make, parts, stand_in)

    def _wrong(
        self, make: Callable[[Members], object], parts: Parts, stand_in: Parts
    ) -> Iterator[tuple[Path, LeanbeError]]:
        """Yield the parts that the domain refuses even alone, with its errors."""
        for path, part in parts.items():
            if (error := self._refusal(make, {**stand_in, path: part})) is not None:
                yield path, error

    def _make_named(
        self, make: Callable[[Members], Planted], parts: Parts, stand_in: Parts
    ) -> Planted:
        """Make something of the same name, if possible, so that later documents can refer to it."""
        named = {path: parts.get(path, part) for path, part in stand_in.items()}
        is_refused = self._refusal(make, named) is not None
        return make(nested(stand_in if is_refused else named))

    def _refusal(self, make: Callable[[Members], object], parts: Parts) -> LeanbeError | None:
        """Return why the domain refuses the parts; None if it accepts them. Undo them anyway."""
        try:
            with self._undone_if_refused():
                make(nested(parts))
                raise _Undo  # noqa: TRY301 - leaves the savepoint, as an error does
        except _Undo:
            return None
        except LeanbeError as error:
            return error

    @contextmanager
    def _undone_if_refused(self) -> Iterator[None]:
        """Undo the block if it raises an error, and forget the objects that it has loaded."""
        before = set(self._session.identity_map.keys())
        try:
            with self._session.begin_nested():
                yield
        except (LeanbeError, _Undo):
            for key in set(self._session.identity_map.keys()) - before:
                self._session.expunge(self._session.identity_map[key])
            raise


class _Undo(Exception):
    """Undoes parts that the domain accepts."""
