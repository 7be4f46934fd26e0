"""Errors show a value of any length, and stay short."""

import pytest

from leanbe_emitter import InvalidValue, NotFound
from leanbe_emitter.wire.event_names import matching


def test_a_long_value_loses_its_middle() -> None:
    error = NotFound(f"There is no product {'x' * 900_000 + 'end'!r}.", hint="Name another.")
    assert len(str(error)) < 600
    assert error.message.startswith("There is no product 'xxx")
    assert error.message.endswith("xend'.")
    assert "899526 characters left out" in error.message


def test_a_list_of_short_lines_stays_whole() -> None:
    listed = "\n".join(["idea.created"] * 1000)
    assert NotFound(listed).message == listed


def test_a_glob_that_is_too_long_matches_nothing() -> None:
    assert matching("*" * 100)
    with pytest.raises(InvalidValue, match="No event matches"):
        matching("*" * 101)
