"""One capability, one word: what one surface can do, the others can, or the table says why not."""

from collections import Counter

import pytest

from leanbe_emitter.hints import Hint
from tests.support.surfaces import (
    all_hints,
    api_operations,
    command_names,
    command_parameters,
    library_methods,
    list_operations,
    operation_parameters,
    operations_of_hint,
    public_functions,
    table_words,
)


def test_every_method_of_the_library_has_its_command_and_its_operation_or_a_reason() -> None:
    methods = set(library_methods())
    assert methods - set(table_words(0)) == set()
    assert set(table_words(0)) - methods <= public_functions()


def test_every_command_has_its_method_and_its_operation_or_a_reason() -> None:
    assert set(table_words(1)) == command_names()


def test_every_operation_has_its_method_and_its_command_or_a_reason() -> None:
    assert set(table_words(2)) == api_operations()


@pytest.mark.parametrize("column", range(3))
def test_no_word_is_for_two_capabilities(column: int) -> None:
    assert [word for word, times in Counter(table_words(column)).items() if times > 1] == []


@pytest.mark.parametrize("way", all_hints())
def test_a_hint_names_what_there_is_on_each_surface(way: Hint) -> None:
    method, command, operation = operations_of_hint(way)
    assert method in set(library_methods())
    assert command in command_names()
    assert operation in api_operations()


@pytest.mark.parametrize(("command", "operation"), [*list_operations()])
def test_a_list_is_narrowed_down_by_the_same_words(command: str, operation: str) -> None:
    typed = {"cursor" if name == "after" else name for name in command_parameters(command)}
    assert typed == operation_parameters(operation)
