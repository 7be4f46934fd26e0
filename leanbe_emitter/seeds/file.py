"""A seed file, read and checked: what it says, and where each part of it stands."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from pydantic import ValidationError

from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.seeds.checking import mistakes
from leanbe_emitter.seeds.content import Content
from leanbe_emitter.seeds.lines import Unreadable, locate
from leanbe_emitter.strict_model import FieldError, Path, field_error_of

#: How many mistakes are told at once.
_MOST_MISTAKES = 20


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What a database is to begin with.

    Attributes:
        name: of the file, as messages show it.
        content: what it says.
    """

    name: str
    content: Content = field(repr=False)
    _lines: Mapping[Path, int] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """What it says, as JSON: secrets are in it, those of the environment, too."""
        return self.content.model_dump_json(by_alias=True, exclude_unset=True)

    @contextmanager
    def blaming(self, path: Path) -> Iterator[None]:
        """Let an error of this block name the place in the file.

        Raises:
            LeanbeError: of the same kind, its message beginning with file and line.
        """
        try:
            yield
        except LeanbeError as error:
            where = _where(self.name, self._lines, path)
            raise type(error)(f"{where}: {error.message}", hint=error.hints) from error


def read_seed(file: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Seed:
    """Read a seed file, YAML or JSON.

    Args:
        file: its path.
        environ: where ``env:NAME`` is looked up.

    Raises:
        InvalidValue: it cannot be read, or is refused; the message has a line for each mistake,
            which begins with file and line.
    """
    name = os.fspath(file)
    try:
        text = FilePath(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidValue(f"{name!r} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{name!r} is no UTF-8: byte {error.start} is wrong.") from None
    try:
        located = locate(text)
    except Unreadable as error:
        raise InvalidValue(f"{name}:{error.line}: {error.reason}") from None
    try:
        content = Content.model_validate(located.value, context=environ)
    except ValidationError as error:
        found = _mistakes(error)
    else:
        found = list(mistakes(content))
        if not found:
            return Seed(name=name, content=content, _lines=located.lines)
    raise _refused(name, located.lines, found)


def seed_of(name: str, text: str) -> Seed:
    """Return a seed as it was kept.

    Raises:
        InvalidValue: another version of the program has kept it, and this one takes no such file.
    """
    try:
        return Seed(name=name, content=Content.model_validate_json(text))
    except ValidationError as error:
        raise _refused(name, {}, _mistakes(error)) from None


def _mistakes(error: ValidationError) -> list[FieldError]:
    told = error.errors(include_url=False)
    return [field_error_of(each, Content, whole="The file") for each in told]


def _where(name: str, lines: Mapping[Path, int], path: Path) -> str:
    """Return file and line; of what was kept without lines, the place itself."""
    line = _line(lines, path)
    return f"{name}, at {'.'.join(map(str, path))}" if line is None else f"{name}:{line}"


def _line(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a place, or of the nearest that is known of what it is in."""
    inside_out = (path[:length] for length in range(len(path), -1, -1))
    return next((lines[each] for each in inside_out if each in lines), None)


def _refused(name: str, lines: Mapping[Path, int], found: Sequence[FieldError]) -> InvalidValue:
    in_order = sorted(found, key=lambda each: _line(lines, each.path) or 0)
    told = [
        f"{_where(name, lines, each.path)}: {each.message} {each.hint}".rstrip()
        for each in in_order[:_MOST_MISTAKES]
    ]
    more = len(found) - len(told)
    hint = f"And {more} more." if more else ""
    return InvalidValue("\n".join(told), hint=hint)
