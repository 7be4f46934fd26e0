"""Durations are read as people write them, and have one shortest text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        ("30d", 2_592_000.0),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        ("7", 7.0),
        ("0.25", 0.25),
        ("0", 0.0),
        (" 2M ", 120.0),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "10 s", "-1s", "1e3", "1w", "1s2", "٣s", "1.s", ".5s", "nan", "inf", "9" * 99]
)
def test_an_invalid_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_duration(text)
    assert repr(text) in refusal.value.message
    assert "500ms" in refusal.value.hint


@pytest.mark.parametrize("text", ["1y", "30", "1.5", "0.5ms", "36526d"])
def test_no_hint_offers_a_plain_number_if_a_unit_is_needed(text: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse_duration(text, needs_unit=True)
    assert refusal.value.hint == "Write a duration like 500ms, 10s, 2m, 1h or 30d."
    assert parse_duration("30d", needs_unit=True) == 2_592_000.0


@pytest.mark.parametrize(("text", "why"), [("0.5ms", "finer"), ("36526d", "longer")])
def test_a_duration_that_cannot_be_kept_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=36_525 * 86_400_000))
def test_every_duration_survives_its_text(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90s"), (120, "2m"), (0.5, "500ms"), (0, "0s"), (86_400, "1d")]
)
def test_the_text_has_the_largest_unit_that_divides(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
