"""Reading seed files: parse, check the members, and check the rest by a trial in memory.

The trial knows no rule of the domain. It plants each part inside a savepoint. If the domain refuses
a part, the trial plants each member of the part alone, to find those with mistakes. Then it goes on
without them, so that it finds all mistakes of a file at once.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, SystemClock
from leanbe_emitter.domain.action import Action
from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.ids import Ids
from leanbe_emitter.seeds.planting import Members, Parts, Planter, nested
from leanbe_emitter.seeds.seed import Content, Seed, blamed, line_of, place
from leanbe_emitter.seeds.yaml_parser import Located, Unreadable, locate
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from leanbe_emitter.strict_model import Path, field_error_of
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


#: How many mistakes one error shows.
_MOST_MISTAKES = 20


def read_seed(file: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Seed:
    """Read and check a seed file, YAML or JSON.

    Args:
        file: the path of the file.
        environ: the variables for ``env:NAME``.

    Raises:
        InvalidValue: the file cannot be read, or has several mistakes. The message has a line for
            each mistake, which begins with file and line.
        LeanbeError: the error of the only mistake; its message begins with file and line.
    """
    name = os.fspath(file)
    located = _located(name, FilePath(file))
    try:
        content = Content.model_validate(located.value, context=environ)
    except ValidationError as error:
        raise _refused(name, located.lines, _mistakes(error)) from None
    seed = Seed(name=name, content=content, lines=located.lines)
    if found := find_mistakes(seed):
        raise _refused(name, located.lines, found)
    return seed


def seed_of(name: str, text: str) -> Seed:
    """Return the seed that a database has stored.

    Raises:
        InvalidValue: another version of the program stored it, and this one cannot read it.
    """
    try:
        return Seed(name=name, content=Content.model_validate_json(text))
    except ValidationError as error:
        raise _refused(name, {}, _mistakes(error)) from None


def _located(name: str, file: FilePath) -> Located:
    try:
        return locate(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidValue(f"{name!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{name!r} is no UTF-8: byte {error.start} is wrong.") from None
    except Unreadable as error:
        raise InvalidValue(f"{name}:{error.line}: {error.reason}") from None


def _mistakes(error: ValidationError) -> list[tuple[Path, LeanbeError]]:
    found = [
        field_error_of(each, Content, whole="The file") for each in error.errors(include_url=False)
    ]
    return [(each.path, InvalidValue(each.message, hint=each.hint)) for each in found]


def _refused(
    name: str, lines: Mapping[Path, int], found: Sequence[tuple[Path, LeanbeError]]
) -> LeanbeError:
    """Return one error for all mistakes, in the order of their lines."""
    in_order = sorted(found, key=lambda each: line_of(lines, each[0]) or 0)
    errors = [blamed(error, place(name, lines, path)) for path, error in in_order]
    if len(errors) == 1:
        return errors[0]
    more = len(errors) - _MOST_MISTAKES
    shown = "\n".join(str(each) for each in errors[:_MOST_MISTAKES])
    return InvalidValue(shown, hint=f"And {more} more." if more > 0 else "")
