"""A seed: the content of a seed file, and the lines on which its parts stand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.seeds.content import Content
from leanbe_emitter.strict_model import Path


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The content that a database begins with.

    Attributes:
        name: the file's name, as messages show it.
        content: the file's content.
        lines: the line of each part; empty for a seed that a database has stored.
    """

    name: str
    content: Content = field(repr=False)
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The content as JSON. It has the secrets, even those of the environment."""
        return self.content.model_dump_json(by_alias=True, exclude_unset=True)

    @contextmanager
    def blaming(self, path: Path) -> Iterator[None]:
        """Let an error of this block name a place in the file.

        Raises:
            LeanbeError: an error of the same class, whose message begins with file and line.
        """
        try:
            yield
        except LeanbeError as error:
            raise blamed(error, place(self.name, self.lines, path)) from error


def blamed(error: LeanbeError, where: str) -> LeanbeError:
    """Return an error of the same class whose message begins with a place."""
    return type(error)(f"{where}: {error.message}", hint=error.hints)


def place(name: str, lines: Mapping[Path, int], path: Path) -> str:
    """Return a place as file and line; without lines, as file and path."""
    line = line_of(lines, path)
    return f"{name}, at {'.'.join(map(str, path))}" if line is None else f"{name}:{line}"


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a place, or of the nearest outer part whose line is known."""
    inside_out = (path[:length] for length in range(len(path), -1, -1))
    return next((lines[each] for each in inside_out if each in lines), None)
