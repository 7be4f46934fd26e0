"""One capability, one word: what one surface can do, the others can, or the table says why not."""

from collections import Counter

import pytest

from leanbe_emitter.hints import Hint
from tests.support.surfaces import (
    all_hints,
    commands,
    functions,
    library,
    lists,
    operations,
    operations_of_hint,
    options,
    parameters,
    words,
)


def test_every_method_of_the_library_has_its_command_and_its_operation_or_a_reason() -> None:
    methods = set(library())
    assert methods - set(words(0)) == set()
    assert set(words(0)) - methods <= functions()


def test_every_command_has_its_method_and_its_operation_or_a_reason() -> None:
    assert set(words(1)) == commands()


def test_every_operation_has_its_method_and_its_command_or_a_reason() -> None:
    assert set(words(2)) == operations()


@pytest.mark.parametrize("column", range(3))
def test_no_word_is_for_two_capabilities(column: int) -> None:
    assert [word for word, times in Counter(words(column)).items() if times > 1] == []


@pytest.mark.parametrize("way", all_hints())
def test_a_hint_names_what_there_is_on_each_surface(way: Hint) -> None:
    method, command, operation = operations_of_hint(way)
    assert method in set(library())
    assert command in commands()
    assert operation in operations()


@pytest.mark.parametrize(("command", "operation"), [*lists()])
def test_a_list_is_narrowed_down_by_the_same_words(command: str, operation: str) -> None:
    typed = {"cursor" if name == "after" else name for name in options(command)}
    assert typed == parameters(operation)
