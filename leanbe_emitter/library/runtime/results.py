"""What waiting methods return: it is there already, and may be awaited all the same.

So one declared type serves both ways: ``leanbe.deliver()`` where no event loop runs, and
``await leanbe.deliver()`` where one does.
"""

from collections.abc import Generator
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Itself:
    """Gives itself where it is awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Self]:
        """Give itself, at once."""
        yield from ()
        return self


class Results(list[T], Itself):
    """A list of results."""

    __slots__ = ()


class Nothing(Itself):
    """No result: what was waited for is done."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Nothing()"


#: The one there is.
NOTHING = Nothing()
