"""Values become the text that JavaScript would write, and bad ones become designed errors."""

import contextlib
import json
import math
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter import sign, stringify
from leanbe_emitter.errors import InvalidValue, PayloadTooDeep, PayloadTooLarge
from leanbe_emitter.wire.stringify import MAX_DEPTH, parse, parse_given

DATA = Path(__file__).parents[1] / "data"
VECTORS = json.loads((DATA / "stringify-vectors.json").read_text(encoding="utf-8"))


# fmt: off
NOT_JSON = [
    "", " ", "{", "[1,]", "{'a':1}", "NaN", "[Infinity]", "-Infinity", "01", "1.", ".5", "+1",
    '"\n"', '"\\x"', '"\\u12g4"', "\ufeff{}", "\u00a0[]", "tru", "[1] 2", '{"a"}', "1e", "-",
]
# fmt: on


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 2


NUMBERS: list[tuple[float, str]] = [
    (1.0, "1"),
    (-0.0, "0"),
    (1e-05, "0.00001"),
    (1e-06, "0.000001"),
    (1e-07, "1e-7"),
    (1.5e-07, "1.5e-7"),
    (1e16, "10000000000000000"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (123456.789, "123456.789"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (-2.5, "-2.5"),
    (2**53, "9007199254740992"),
    (2**53 + 1, "9007199254740992"),
    (123456789012345683968, "123456789012345680000"),
    (10**400, "null"),
    (-(10**5000), "null"),
    (math.nan, "null"),
    (math.inf, "null"),
    (-math.inf, "null"),
    (True, "true"),
    (Size.BIG, "2"),
]


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_every_vector_of_node_is_written_and_signed_alike() -> None:
    assert len(VECTORS["vectors"]) == 400
    for vector in VECTORS["vectors"]:
        value = parse(vector["input"])
        assert stringify(value) == vector["stringified"]
        assert sign(value, VECTORS["secret"]) == vector["signature"]


@pytest.mark.parametrize(("number", "written"), NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_are_written_as_the_double_that_they_become(number: float, written: str) -> None:
    assert stringify(number) == written
    assert stringify([number]) == f"[{written}]"
    assert stringify({"a": "b", "n": number}) == f'{{"a":"b","n":{written}}}'


def test_array_indexes_come_first_and_ascend() -> None:
    value = {"b": 1, "10": 2, "2": 3, "02": 4, "4294967294": 5, "4294967295": 6, "-1": 7}
    assert stringify(value) == ('{"2":3,"10":2,"4294967294":5,"b":1,"02":4,"4294967295":6,"-1":7}')


def test_a_lone_surrogate_is_escaped_and_a_split_pair_is_one_character() -> None:
    assert stringify(["\ud800", "a\udfffb", "\ud83d\ude00"]) == '["\\ud800","a\\udfffb","😀"]'


def test_two_spellings_of_one_key_are_one_member() -> None:
    assert stringify({"\ud83d\ude00": 1, "a": 2, "😀": 3}) == '{"😀":3,"a":2}'


def test_texts_that_look_like_numbers_stay_as_they_are() -> None:
    assert stringify({"a": "1,2.5,3", "b": ":1e5]", "c": "[NaN"}) == (
        '{"a":"1,2.5,3","b":":1e5]","c":"[NaN"}'
    )


def test_tuples_and_enums_are_what_they_stand_for() -> None:
    assert stringify({"a": (1, Colour.RED), Colour.RED: Size.BIG}) == '{"a":[1,"red"],"red":2}'


@pytest.mark.parametrize("key", [1, 1.5, -2, True, False, None, math.nan, -math.inf, (1,)])
def test_a_key_that_is_no_text_is_refused(key: object) -> None:
    with pytest.raises(InvalidValue, match="is no text"):
        stringify({"a": [{key: 1}]})


@pytest.mark.parametrize("value", [{1}, b"x", object(), 1j, stringify])
def test_a_value_without_a_form_in_json_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"payload\.a\[1\] is of type"):
        stringify({"a": [0, value]})


def test_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {"a": []}
    value["a"].append(value)
    with pytest.raises(InvalidValue, match=r"payload\.a\[0\] contains itself"):
        stringify(value)


def test_one_value_may_stand_in_two_places() -> None:
    tag = {"title": "ui"}
    assert stringify([tag, tag, 0.5]) == '[{"title":"ui"},{"title":"ui"},0.5]'


@pytest.mark.parametrize(
    "leaf", [1, 0.5, "\ud800", 10**5_000], ids=["plain", "point", "half", "huge"]
)
def test_the_limit_of_depth_is_the_last_that_is_allowed(leaf: object) -> None:
    value: Any = {"beside": [], "a": [leaf]}
    for _ in range(MAX_DEPTH - 2):
        value = {"a": value}
    assert stringify(parse(stringify(value))) == stringify(value)
    with pytest.raises(PayloadTooDeep, match="deeper than the limit of 200 levels"):
        stringify([value])


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 2_000, 100_000])
def test_nesting_never_exhausts_the_stack(depth: int) -> None:
    with pytest.raises(PayloadTooDeep):
        stringify(nested(depth))
    with pytest.raises(PayloadTooDeep):
        stringify(nested(depth), max_depth=depth - 1)


def test_a_limit_beyond_the_stack_is_still_a_designed_error() -> None:
    with pytest.raises(PayloadTooDeep):
        stringify(nested(50_000), max_depth=60_000)
    with pytest.raises(PayloadTooDeep):
        parse("[" * 50_000 + "]" * 50_000, max_depth=60_000)


def test_many_shallow_lists_are_not_deep() -> None:
    assert stringify([[]] * 500) == "[" + ",".join(["[]"] * 500) + "]"
    assert parse("[" + ",".join(["[]"] * 500) + "]") == [[]] * 500


@pytest.mark.parametrize("letter", ["a", "é", "日", "😀"])
def test_the_limit_of_size_counts_bytes_of_utf8(letter: str) -> None:
    value = [letter * 100]
    size = len(stringify(value).encode())
    assert stringify(value, max_bytes=size) == f'["{value[0]}"]'
    with pytest.raises(PayloadTooLarge, match=f"has {size} bytes; the limit is {size - 1}"):
        stringify(value, max_bytes=size - 1)


@pytest.mark.parametrize("text", NOT_JSON)
def test_a_text_that_javascript_does_not_parse_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="This is not JSON"):
        parse(text)


def test_a_hundred_thousand_open_brackets_are_a_designed_error() -> None:
    for text in ("[" * 100_000, '{"a":' * 100_000, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)):
        with pytest.raises(PayloadTooDeep):
            parse(text)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "-" + "9" * 100_000])
def test_given_json_has_no_number_that_would_become_null(number: str) -> None:
    with pytest.raises(InvalidValue, match="is no finite number") as raised:
        parse_given(f'{{"upvotes": [1.5, {number}]}}')
    assert len(raised.value.message) < 100
    assert parse_given('{"upvotes": [1.5, 1e300, 123456789012345680000]}') == {
        "upvotes": [1.5, 1e300, 1.2345678901234568e20]
    }


@pytest.mark.parametrize(
    "text", ['{"a":1,"b":2,"a":1}', '[{"c":{"b":0,"a":1,"\\u0061":2}}]', '{"a":{},"a":[]}']
)
def test_given_json_has_no_member_twice(text: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        parse_given(text)
    assert raised.value.message == "'a' is there twice."
    assert parse_given('{"a":{"a":[{"a":1},{"a":2}]}}') == {"a": {"a": [{"a": 1}, {"a": 2}]}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993", 9007199254740992),
        ("123456789012345680000", 1.2345678901234568e20),
        ("1e400", math.inf),
        ("-" + "9" * 100_000, -math.inf),
        ("-0", 0),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
    ],
)
def test_parsing_reads_what_javascript_reads(text: str, value: object) -> None:
    assert parse(text) == value


def test_the_last_of_two_equal_keys_wins_at_the_place_of_the_first() -> None:
    assert stringify(parse('{"a":1,"b":2,"a":3}')) == '{"a":3,"b":2}'


@given(
    st.recursive(st.integers() | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_a_written_text_is_written_again_the_same(value: object) -> None:
    text = stringify(value)
    assert stringify(parse(text)) == text


@given(st.binary(max_size=60), st.sampled_from(["surrogatepass", "surrogateescape", "replace"]))
def test_parsing_any_text_gives_a_value_or_a_designed_error(noise: bytes, errors: str) -> None:
    with contextlib.suppress(InvalidValue, UnicodeDecodeError):
        stringify(parse(noise.decode("utf-8", errors)))
