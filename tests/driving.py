"""Coroutines that never suspend, run by hand where no event loop runs."""

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def driven(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what the coroutine returns; it must not suspend."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    coroutine.close()
    raise AssertionError("it suspended")
