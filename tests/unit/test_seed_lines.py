"""YAML and JSON are read as JSON's values, each of them with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.seeds.yaml_parser import Unreadable, locate
from leanbe_emitter.wire.stringify import JSON

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
#: YAML takes no name of more than 1024 characters, each escape of JSON's being 6 of them, or 12.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_read_as_json(value: JSON) -> None:
    assert locate(json.dumps(value)).value == value


def test_json_may_be_indented_by_tabs_and_write_astral_characters_as_pairs() -> None:
    located = locate('{\n\t"name": "\\ud83d\\ude00",\n\t"x":\t1\n}')
    assert located.value == {"name": "😀", "x": 1}
    assert located.lines == {(): 1, ("name",): 2, ("x",): 3}


@pytest.mark.parametrize("text", ["NO", "yes", "2026-01-01", "0x1F", "1:30", "+123456789", "007"])
def test_a_scalar_that_is_text_in_json_is_text(text: str) -> None:
    assert locate(f"value: {text}").value == {"value": text}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("~", None), ("", None), ("-1", -1), ("1e3", 1000.0)]
)
def test_plain_scalars_are_those_of_json(text: str, value: JSON) -> None:
    assert locate(f"value: {text}").value == {"value": value}


def test_every_part_has_the_line_on_which_it_begins() -> None:
    located = locate("# a comment\na:\n  - b: 1\n  - c:\n      2\n")
    assert located.lines == {
        (): 2,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "b"): 3,
        ("a", 1): 4,
        ("a", 1, "c"): 4,
    }


def test_an_empty_text_is_nothing() -> None:
    assert locate("").value is None


def test_aliases_repeat_what_they_stand_for() -> None:
    assert locate("a: &a {b: 1}\nc: [*a, *a]").value == {"a": {"b": 1}, "c": [{"b": 1}] * 2}


def test_aliases_that_would_fill_the_memory_are_refused() -> None:
    lines = ["a0: &a0 x", *(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 7))]
    with pytest.raises(Unreadable) as refused:
        locate("\n".join(lines))
    assert refused.value.reason.startswith("Aliases of this file repeat")
    assert 1 <= refused.value.line <= len(lines)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is there twice"),
        ('{"a": 1,\n"b": {"a": 1,\n"\\u0061": 2}}', 3, "'a' is there twice"),
        ("a:\n  b: 1\n c: 2\n", 3, "no YAML"),
        ("a: 1\n---\nb: 2\n", 2, "no YAML"),
        ("\nx: !!python/object:os.system []", 2, "python/object:os.system is no type of JSON"),
        ("\nx: !!set {a, b}", 2, "is no type of JSON"),
        ("? [a]\n: 1", 1, "has to be a text"),
        ("a: &a [*a]", 1, "nested too deeply"),
        ("[" * 5000, 1, "nested too deeply"),
        ("a: \x07", 1, "special characters"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        locate(text)
    assert refused.value.line == line
    assert reason in refused.value.reason
