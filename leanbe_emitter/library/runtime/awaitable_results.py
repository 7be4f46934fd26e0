"""Results of waiting methods, which are complete and can also be awaited.

So one declared type serves both kinds of callers: ``leanbe.deliver()`` without an event loop, and
``await leanbe.deliver()`` with one.
"""

from collections.abc import Generator
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Itself:
    """A result that gives itself when it is awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Self]:
        """Return the result itself, at once."""
        yield from ()
        return self


class Results(list[T], Itself):
    """A list of results."""

    __slots__ = ()


class Nothing(Itself):
    """The result of a waiting method that has nothing to return."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Nothing()"


#: The only instance.
NOTHING = Nothing()
